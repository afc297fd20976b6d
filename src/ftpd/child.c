/* A pre-login child's or a session's life, once it has a client: lock the home, serve, end. Relays have theirs in tls_relay.c. */
#include "ftpd/child.h"

#include "ftpd/jail.h"
#include "ftpd/prelogin.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int live_as_session(const ChildConfig *config, const SessionStart *start) {
    int r = jail_lock_home(start->drop[0] ? CHILD_DROP_FD : -EBADF, start->quota, config->landlock_abi, config->best_effort);
    return r < 0 ? r : session_run(start, config->tls);
}

void child_live(const ChildConfig *config, bool session, const SessionStart *start) {
    int r = session ? live_as_session(config, start) : prelogin_run(start);
    _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
