/* Takes orders from the listener, forks, answers with the child's pid: nothing else.
 *
 * An order is a SessionStart and two or three fds. They arrive as CHILD_CONTROL_FD and its neighbours, because the zygote has nothing else open
 * but its own socket above them. Source of the word: Android and Chrome name their process to fork from so. */
#include "ftpd/zygote.h"

#include "basic/log.h"
#include "basic/pass_fds.h"
#include "basic/strings.h"
#include "ftpd/jail.h"
#include "ftpd/mappings.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ZYGOTE_FD CHILD_FDS_END
#define KEPT_FD (ZYGOTE_FD + 1)
#define FDS_MAX 3

typedef union Control {
    struct cmsghdr header;
    char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
} Control;

/* ---- in the zygote ---- */

/* What the listener was started with is not for children: LISTEN_FDNAMES names the sessions of others. ps(1) and systemd-cgls(1) show the title instead. */
static void forget_start(char **argv, ZygoteKind kind) {
    static const char *const titles[] = {
        [ZYGOTE_PRELOGIN] = "tempoftp-ftpd: login", [ZYGOTE_SESSION] = "tempoftp-ftpd: session", [ZYGOTE_RELAY] = "tempoftp-ftpd: TLS",
    };
    size_t room = 0;

    for (char **a = argv; *a; a++) {
        room += strlen(*a) + 1; /* the kernel lays them one behind the other */
        wipe(*a, strlen(*a));
    }
    for (char **e = environ; e && *e; e++)
        wipe(*e, strlen(*e));
    clearenv();
    if (room > 0)
        snprintf(argv[0], room, "%s", titles[kind]);
}

/* Signals are for the listener (a terminal sends them to the whole group); the zygote ends when the listener does. */
static int settle(int fd, int *keep_fd) {
    sigset_t all;

    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
        return -errno;
    int kept = keep_fd && *keep_fd >= 0 ? fcntl(*keep_fd, F_DUPFD_CLOEXEC, KEPT_FD + 1) : -EBADF; /* out of the other's way */
    if (fd != ZYGOTE_FD && dup2(fd, ZYGOTE_FD) < 0)
        return -errno;
    if (kept >= 0) {
        if (dup2(kept, KEPT_FD) < 0)
            return -errno;
        *keep_fd = KEPT_FD;
    }
    if (close_range(CHILD_CONTROL_FD, ZYGOTE_FD - 1, 0) < 0 || close_range(kept >= 0 ? KEPT_FD + 1 : KEPT_FD, ~0U, 0) < 0)
        return -errno;
    return 0;
}

/* Children talk, open and send: libc does that; the others' uses stand here. main sees to it that none
 * of them needs more to log. */
static int drop_libraries(ZygoteKind kind, const ZygoteHook *hook) {
    static const char *const none[] = { NULL };
    static const char *const plain[] = { "libsodium.", NULL }; /* HASH */
    static const char *const tls[] = { "libsodium.", "libssl.", "libcrypto.", NULL };

    if (JAIL_SANITIZED)
        return 0;
    return mappings_drop_libraries(kind == ZYGOTE_PRELOGIN ? none : hook ? tls : plain);
}

/* 1, 0: the listener is gone, or a negative errno. */
static int receive_order(ZygoteFds *ret_fds, SessionStart *ret) {
    Control control;
    struct iovec data = { ret, sizeof(*ret) };
    struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    int fds[FDS_MAX] = { -EBADF, -EBADF, -EBADF };
    ssize_t n;

    do
        n = recvmsg(ZYGOTE_FD, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (n == 0)
        return 0;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c)
        memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    *ret_fds = (ZygoteFds) { fds[0], fds[1], fds[2] };
    /* Too many fds open here, or an order that the listener does not give. */
    return n != sizeof(*ret) || m.msg_flags & MSG_CTRUNC || fds[1] < 0 ? -EBADMSG : 1;
}

/* Returns in children only. */
static void obey(ZygoteKind kind, const ZygoteHook *hook, SessionStart *ret_start) {
    ZygoteFds fds = { -EBADF, -EBADF, -EBADF };
    int r;

    while ((r = receive_order(&fds, ret_start)) > 0) {
        if (kind != ZYGOTE_SESSION)
            fds.home = -EBADF;
        int made = hook && hook->prepare ? hook->prepare(hook->userdata) : -EBADF;
        if (made >= 0)
            fds.home = made;
        pid_t pid = made >= 0 || made == -EBADF ? _Fork() : made; /* fork() would call into libraries that are gone */
        if (pid == 0) {
            if (jail_take_fds(fds.control, fds.wire, fds.home) < 0)
                _exit(EXIT_FAILURE);
            return;
        }
        if (pid == -1)
            pid = -errno;
        cleanup_close_(&made);
        (void) close_range(CHILD_CONTROL_FD, ZYGOTE_FD - 1, 0);
        wipe(ret_start, sizeof(*ret_start)); /* the next child is another client's */
        if (send(ZYGOTE_FD, &pid, sizeof(pid), MSG_NOSIGNAL) < 0)
            break;
    }
    _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---- in the listener ---- */

int zygote_start(ZygoteKind kind, char **argv, const ZygoteHook *hook, SessionStart *ret_start, int *ret_fd) {
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        int r = -errno;
        close(pair[0]);
        close(pair[1]);
        return r;
    }
    if (pid > 0) {
        close(pair[1]);
        *ret_fd = pair[0];
        return 0;
    }
    forget_start(argv, kind);
    int r = kind == ZYGOTE_SESSION ? jail_prepare_sessions() : 0;
    if (r < 0)
        log_warning("No user namespace here (%s): a session that is taken over could see names, sizes and times of other files, though not read them",
                    strerror(-r));
    if (settle(pair[1], hook ? hook->keep_fd : NULL) < 0 || (kind != ZYGOTE_SESSION && jail_drop_capabilities() < 0) || drop_libraries(kind, hook) < 0)
        _exit(EXIT_FAILURE);
    obey(kind, hook, ret_start);
    return 1;
}

pid_t zygote_fork(int fd, const ZygoteFds *fds, const SessionStart *start) {
    const int passed[FDS_MAX] = { fds->control, fds->wire, fds->home };
    pid_t pid;
    ssize_t n;

    int r = pass_fds(fd, start, sizeof(*start), passed, fds->home >= 0 ? FDS_MAX : FDS_MAX - 1, 0);
    if (r < 0)
        return r;
    do
        n = recv(fd, &pid, sizeof(pid), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return n == sizeof(pid) ? pid : -ECONNRESET;
}
