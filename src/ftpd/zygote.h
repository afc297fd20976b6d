/* The process that children are forked from. It is born before the first client, so what a child finds in its memory is this program's, its
 * settings' and its own client's, never what the listener has heard, asked or answered since.
 *
 * One zygote makes pre-login children, one sessions that read, one those that write, and (where TLS is offered) one relays. A zygote obeys the listener alone,
 * never holds a client's fd, reads no byte but how many children are wanted, and ends with the listener. */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/jail.h"
#include "ftpd/session.h"

/* For children that use TLS. prepare, when there is one, runs before each fork and returns an fd that becomes the child's home and is closed here. Negative: the
 * child does without, as well as it can. */
typedef struct ZygoteHook {
    int (*prepare)(void *userdata);
    void *userdata;
    int *keep_fd; /* an fd that stays open in the zygote, under another number; NULL: none */
} ZygoteHook;

#define ZYGOTE_KEPT_FD (ZYGOTE_ORDER_FD + 1)

/* In the zygote: its fds are in place (jail.h) and nothing else is open but 0, 1, 2 and what keep_fd says. Forks what is asked for and ends with the listener;
 * returns in every child that has got its client, jailed but for jail_lock_home(), with its fds in place and *ret_start. It must end by _exit(). */
void zygote_live(const Jail *jail, const ZygoteHook *hook, SessionStart *ret_start);
