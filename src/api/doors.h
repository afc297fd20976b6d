/* The sockets that tempoftpd listens on. */
#pragma once

#include "api/manager.h"
#include "basic/fds.h"

/* Those that systemd passed (named http, https, api), then those of --listen (ends with NULL; https:// before an address: TLS). At least one, else -EINVAL.
 * Errors are logged. */
int doors_open(Manager *m, ListenFds *passed, const char *const *listen) _must_use_;
