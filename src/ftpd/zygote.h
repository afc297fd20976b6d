/* The process that children are forked from. It is born before the first client, so what a child finds in its memory is this program's, its
 * settings' and its own client's, never what the listener has heard, asked or answered since.
 *
 * One zygote makes pre-login children, another one sessions. A zygote obeys the listener alone, reads no client's byte and ends with it. */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/session.h"

#include <sys/types.h>

typedef enum ZygoteKind { ZYGOTE_PRELOGIN, ZYGOTE_SESSION, _ZYGOTE_KIND_MAX } ZygoteKind;

/* Its fds, for the child: home is -EBADF before login. */
typedef struct ZygoteFds {
    int control, wire, home;
} ZygoteFds;

/* Forks a zygote. 0 in the listener, with *ret_fd its way to it. 1 in every child, with its fds in place (jail.h) and *ret_start; a child
 * owns nothing of the caller's and must end by _exit(). Negative: there is no zygote.
 * argv: the program's; the zygote's copy is wiped, as its environment is. */
int zygote_start(ZygoteKind kind, char **argv, SessionStart *ret_start, int *ret_fd) _must_use_;
/* In the listener: a child with copies of these fds. Its pid, or a negative errno: -ECONNRESET, -EPIPE when the zygote is gone. */
pid_t zygote_fork(int fd, const ZygoteFds *fds, const SessionStart *start) _must_use_;
