/* Staying with a request until it is usable or has ended. */
#pragma once

#include "cli/args.h"
#include "cli/client.h"

#define FOLLOW_TRIES_MAX 6 /* lost connections in a row, after 1, 2, 4… seconds each: a service that restarts is back by then */

/* Until the request is no longer recibido, preparando or traslado. EXIT_OK: *ret is its last answer, a 200. EXIT_ENDED_BADLY: it was deleted meanwhile. */
ExitCode follow_until_settled(const Args *args, Client *client, const char *id, Reply *ret);
/* Every event, one a line on stdout, until the request has ended for good. */
ExitCode follow_events(const Args *args, Client *client, const char *id);
