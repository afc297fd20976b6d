/* What main() hands to the service. */
#pragma once

#include "basic/fds.h"
#include "model/settings.h"

#define LISTEN_MAX 8

typedef struct RunOptions {
    const char *listen[LISTEN_MAX + 1]; /* --listen, ends with NULL; none: sockets from systemd */
    const char *state_directory; /* --state-directory or $STATE_DIRECTORY */
} RunOptions;

/* Runs until idle or told to stop. 0, or a negative errno that was logged; *ret_started: it had been serving. */
int manager_run(Settings *settings, const RunOptions *options, ListenFds *passed, bool *ret_started) _must_use_;
