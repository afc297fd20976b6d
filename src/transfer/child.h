/* ssh and rsync as children: started without a shell, in a jail, with a plain environment; listened to until they end. */
#pragma once

#include "basic/buffer.h"
#include "transfer/jail.h"

#include <stdbool.h>
#include <sys/types.h>

#define SAID_MAX 16384 /* bytes of stderr that are kept, from the beginning */

typedef struct Child {
    pid_t pid;   /* 0: none */
    int pidfd, out, err;
    Buffer said; /* stderr so far */
    bool ended;
    int exit_status; /* 0 to 255 */
    int term_signal; /* 0: it exited */
} Child;
#define CHILD_NONE ((Child) { .pidfd = -EBADF, .out = -EBADF, .err = -EBADF, .said = { .max = 0 } })

/* jail NULL: only the worker's own. The child gets SIGTERM when the worker dies. */
int child_start(const char *const *argv, const Jail *jail, Child *ret) _must_use_;
/* Each line of stdout, whether it ends with '\n' or is drawn over the one before ("\r…", passed on as soon as it is there); NULL: dropped. False: nothing
 * that comes after it matters. */
typedef bool (*ChildLine)(const char *line, size_t size, void *userdata);
/* Until it has ended, or a line was the last that matters while stderr is silent. */
int child_wait(Child *c, ChildLine line, void *userdata) _must_use_;
/* Takes what is there on stderr, without waiting; notices when it has ended. */
int child_look(Child *c) _must_use_;
/* SIGTERM, then after some seconds SIGKILL; reaps. For one that has ended already, nothing. */
void child_done(Child *c);
#define _cleanup_child_ _cleanup_(child_done)

/* The line of `said` that tells most: the first that isn't part of a banner. Cut at size, control characters out. */
void child_detail(const char *said, char *ret, size_t size);
