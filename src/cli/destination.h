/* A destination as people name it: by its name, or by its number. */
#pragma once

#include "cli/args.h"
#include "cli/client.h"

/* Looks it up; *ret is the service's object, the caller's to drop (json_decref). Other than EXIT_OK: told. */
ExitCode destination_look_up(Client *client, const char *which, json_t **ret);
/* "/api/destinations/7" and rest; heap; NULL: told. */
char *destination_path(const json_t *destination, const char *rest);
