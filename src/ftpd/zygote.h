/* The process that children are forked from. It is born before the first client, so what a child finds in its memory is this program's, its
 * settings' and its own client's, never what the listener has heard, asked or answered since.
 *
 * One zygote makes pre-login children, another one sessions, a third one (where TLS is offered) relays. A zygote obeys the listener alone, reads no client's byte and ends with it. */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/session.h"

#include <sys/types.h>

typedef enum ZygoteKind { ZYGOTE_PRELOGIN, ZYGOTE_SESSION, ZYGOTE_RELAY, _ZYGOTE_KIND_MAX } ZygoteKind;

/* Its fds, for the child: home is -EBADF before login. */
typedef struct ZygoteFds {
    int control, wire, home;
} ZygoteFds;

/* For children that use TLS. prepare, when there is one, runs before each fork and returns an fd that becomes the child's home and is closed here, or -EBADF;
 * other errors: no child. */
typedef struct ZygoteHook {
    int (*prepare)(void *userdata);
    void *userdata;
    int *keep_fd; /* an fd that stays open in the zygote, under another number; NULL: none */
} ZygoteHook;

/* Forks a zygote. 0 in the listener, with *ret_fd its way to it. 1 in every child, with its fds in place (jail.h) and *ret_start; a child
 * owns nothing of the caller's and must end by _exit(). Negative: there is no zygote.
 * argv: the program's; the zygote's copy is wiped, as its environment is. */
int zygote_start(ZygoteKind kind, char **argv, const ZygoteHook *hook, SessionStart *ret_start, int *ret_fd) _must_use_;
/* In the listener: a child with copies of these fds. Its pid, or a negative errno: -ECONNRESET, -EPIPE when the zygote is gone. */
pid_t zygote_fork(int fd, const ZygoteFds *fds, const SessionStart *start) _must_use_;
