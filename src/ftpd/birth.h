/* The listener's side of its zygotes: how they are started, and how a client gets a process. */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/child.h"
#include "ftpd/zygote.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ZYGOTES (JAIL_RELAY + 1)
#define BIRTH_READY_MAX 4 /* sixteen cost more than they save, in turns */

/* One zygote and the children that wait for clients. */
typedef struct Zygote {
    JailKind kind;
    int tick_fd, order_fd; /* -EBADF: it was not started */
    bool ahead;            /* children may be made before they are needed */
    size_t n_ready;
    int ready[BIRTH_READY_MAX]; /* their wires, the oldest first */
} Zygote;

#define ZYGOTE_NONE { .tick_fd = -EBADF, .order_fd = -EBADF }

/* What a client's process is given: home is -EBADF before login, drop where nothing may be written. */
typedef struct BirthFds {
    int control, home, drop;
} BirthFds;

/* What tempoftp-ftp-child is told before all else, over the socket of ticks; the filter's steps follow. It answers with one byte, or ends. */
typedef struct BirthCharge {
    char version[24];
    uint32_t size; /* of SessionStart: are both of one build? */
    JailKind kind;
    bool tls, best_effort;
    int landlock_abi;
    unsigned short n_steps;
} BirthCharge;

/* Forks a zygote. 0 in the listener. 1 in every child, as zygote_live() returns; a child owns nothing of the caller's and must end by _exit(). Negative:
 * there is no zygote; -EPROTO: its program is of another build, logged. argv: the program's; the zygote's copy is wiped, as its environment is. Without a
 * hook, and where tempoftp-ftp-child is beside this program or installed, the zygote is that: then nothing returns but 0. */
int zygote_start(Zygote *ret, const Jail *jail, const ChildConfig *config, char **argv, const ZygoteHook *hook, SessionStart *ret_start) _must_use_;
/* Children that wait end too. */
void zygote_done(Zygote *z);

/* Gives the client to a child, which may still have to be born: *ret_wire is the way to it. A relay has none: it is the caller's way to its other side.
 * -ECONNRESET: the zygote is gone. -EAGAIN: it is behind by more children than can be asked for. */
int birth_give(Zygote *z, const BirthFds *fds, const SessionStart *start, int *ret_wire) _must_use_;
/* A child's first word, before it hears of any stranger: 1 with its pid, 0: it is gone, -EAGAIN: it has not spoken yet. */
int birth_hello(int wire, pid_t *ret_pid) _must_use_;
