/* Forks when the listener asks for children: nothing else. What a child does until it has its client stands here too.
 *
 * Two sockets: over one come ticks, bytes that each ask for one child; the zygote reads those. Over the other come wires, one for each child, which the child
 * takes itself: so no fd of a client, and not even a wire, is ever open in the process that all others inherit from. Then the child says over its
 * wire which process it is, and waits there for a client and a SessionStart, perhaps long. Source of the word: Android and Chrome name their process to fork from so. */
#include "ftpd/zygote.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CLIENT_FDS_MAX 3
#define FORK_AGAIN_MS 100

/* ---- in a child ---- */

/* One message and the fds that came with it: they took the lowest free numbers, which must be `first` and those behind it. Bytes, or a negative errno. */
static ssize_t receive(int socket, void *data, size_t size, int first) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(CLIENT_FDS_MAX * sizeof(int))];
    } control;
    struct iovec bytes = { data, size };
    struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    int fds[CLIENT_FDS_MAX];
    ssize_t n;

    do
        n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (!c || m.msg_flags & MSG_CTRUNC)
        return -EBADMSG;
    size_t got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(c), got * sizeof(int));
    for (size_t i = 0; i < got; i++)
        if (fds[i] != first + (int) i)
            return -EBADMSG;
    return n;
}

/* -EPIPE, -EBADMSG: whoever wanted it is gone. */
static int get_client(const Jail *jail, bool sealed, pid_t own, SessionStart *ret_start) {
    char byte;

    int r = jail_be_child();
    if (r < 0)
        return r;
    if (receive(ZYGOTE_ORDER_FD, &byte, sizeof(byte), CHILD_WIRE_FD) != sizeof(byte))
        return -EBADMSG;
    if (close_range(ZYGOTE_TICK_FD, ~0U, 0) < 0)
        return -errno;
    /* A relay's other end is no listener. */
    if (jail->kind != JAIL_RELAY && send(CHILD_WIRE_FD, &own, sizeof(own), MSG_NOSIGNAL) < 0)
        return -errno;
    if (receive(CHILD_WIRE_FD, ret_start, sizeof(*ret_start), CHILD_CONTROL_FD) != sizeof(*ret_start))
        return -EBADMSG;
    return sealed ? 0 : jail_seal(jail);
}

/* ---- in the zygote ---- */

/* 0 in the child. There may be no more processes for now: then the clients wait, until the listener loses patience. */
static pid_t fork_at_last(const ZygoteHook *hook, pid_t *ret_own) {
    for (;;) {
        int made = hook && hook->prepare ? hook->prepare(hook->userdata) : -EBADF;
        pid_t pid = jail_fork(ret_own);
        if (pid == 0 && made >= 0 && dup2(made, CHILD_HOME_FD) < 0)
            _exit(EXIT_FAILURE);
        if (pid != 0 || made != CHILD_HOME_FD)
            cleanup_close_(&made);
        if (pid == 0)
            return 0;
        if (pid > 0)
            return pid;
        (void) poll(NULL, 0, FORK_AGAIN_MS);
    }
}

void zygote_live(const Jail *jail, const ZygoteHook *hook, SessionStart *ret_start) {
    bool sealed = !hook || !hook->prepare; /* prepare opens files */
    char ticks[64];
    pid_t own;
    ssize_t n;

    if (sealed && jail_seal(jail) < 0)
        _exit(EXIT_FAILURE);
    while ((n = recv(ZYGOTE_TICK_FD, ticks, sizeof(ticks), 0)) != 0) {
        if (n < 0 && errno != EINTR)
            _exit(EXIT_FAILURE);
        while (n-- > 0)
            if (fork_at_last(hook, &own) == 0) {
                if (get_client(jail, sealed, own, ret_start) < 0)
                    _exit(EXIT_FAILURE);
                return;
            }
    }
    _exit(EXIT_SUCCESS);
}
