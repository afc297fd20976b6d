/* Uploads of a request to partners, as tempoftp ver and tempoftp exportar show them. */
#pragma once

#include "cli/args.h"
#include "cli/client.h"
#include "model/progress.h"

/* "/api/jobs/" + id + rest; heap; NULL: told, exit code in *ret_code. */
char *export_path(const char *id, const char *rest, ExitCode *ret_code);

/* What GET says of that; the caller's to release. As service_ask(), told. */
ExitCode export_get(const Args *args, Client *client, const char *id, const char *rest, Reply *ret);

/* How far it is; false while that is not known, or when it has ended. */
bool export_progress(const json_t *export, Progress *ret);
/* "3 archivos, 1,2 MB": what has arrived; to stdout. */
void export_print_amount(const json_t *export);
/* A line for each, behind the description of their request; to stdout. */
void export_print_lines(const json_t *exports);
