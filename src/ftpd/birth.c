/* Starts zygotes, asks them for children and gives clients to these. What happens on the other side stands in zygote.c.
 *
 * Children are asked for before they are needed, several at once: a zygote that wakes up for each costs more, and a client need not wait for a fork. None
 * waits for a kind of client that has not come yet. */
#include "ftpd/birth.h"

#include "basic/log.h"
#include "basic/pass_fds.h"
#include "basic/strings.h"
#include "ftpd/mappings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CHILD_NAME "tempoftp-ftp-child"
#define READY_LOW (BIRTH_READY_MAX / 2)
#define CHARGE_TIMEOUT_MS 10000

/* ---- in the zygote, before it begins ---- */

/* ps(1) and systemd-cgls(1) show this. */
static const char *const titles[ZYGOTES] = {
    [JAIL_PRELOGIN] = "tempoftp-ftpd: login",
    [JAIL_READER] = "tempoftp-ftpd: session",
    [JAIL_WRITER] = "tempoftp-ftpd: session",
    [JAIL_RELAY] = "tempoftp-ftpd: TLS",
};

/* What the listener was started with is not for children: LISTEN_FDNAMES names the sessions of others. */
static void forget_start(char **argv, JailKind kind) {
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

/* To its number, with close-on-exec gone. */
static int place(int fd, int number) {
    return dup2(fd, number) < 0 ? -errno : 0;
}

static int settle(int tick, int order, int *keep_fd) {
    int from[] = { tick, order, keep_fd ? *keep_fd : -EBADF };
    int r = 0;

    for (size_t i = 0; i < ELEMENTS(from); i++) /* out of each other's way first */
        if (from[i] >= 0 && (from[i] = fcntl(from[i], F_DUPFD, ZYGOTE_KEPT_FD + 1)) < 0)
            return -errno;
    for (size_t i = 0; i < ELEMENTS(from) && r >= 0; i++)
        r = from[i] >= 0 ? place(from[i], ZYGOTE_TICK_FD + (int) i) : 0;
    if (r < 0)
        return r;
    if (from[2] >= 0)
        *keep_fd = ZYGOTE_KEPT_FD;
    if (close_range(STDERR_FILENO + 1, ZYGOTE_TICK_FD - 1, 0) < 0 || close_range(from[2] >= 0 ? ZYGOTE_KEPT_FD + 1 : ZYGOTE_KEPT_FD, ~0U, 0) < 0)
        return -errno;
    return 0;
}

/* Children talk, open and send: libc does that; the others' uses stand here. main sees to it that none
 * of them needs more to log. */
static int drop_libraries(JailKind kind, const ZygoteHook *hook) {
    static const char *const none[] = { NULL };
    static const char *const plain[] = { "libsodium.", NULL }; /* HASH */
    static const char *const relay[] = { "libssl.", "libcrypto.", NULL };
    static const char *const tls[] = { "libsodium.", "libssl.", "libcrypto.", NULL };

    if (JAIL_SANITIZED)
        return 0;
    return mappings_drop_libraries(kind == JAIL_PRELOGIN ? none : kind == JAIL_RELAY ? relay : hook ? tls : plain);
}

static _Noreturn void fail(void) {
    _exit(EXIT_FAILURE);
}

static void begin(JailKind kind, const char *program, char **argv, const ZygoteHook *hook, int tick, int order) {
    sigset_t all;
    bool session = kind == JAIL_READER || kind == JAIL_WRITER;

    sigfillset(&all); /* until it is settled; signals are for the listener */
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
        fail();
    int r = session ? jail_prepare_sessions() : 0;
    if (r < 0 && kind == JAIL_READER)
        log_warning("No user namespace here (%s): a session that is taken over could see names, sizes and times of other files, though not read them",
                    strerror(-r));
    if (settle(tick, order, hook ? hook->keep_fd : NULL) < 0 || (!session && jail_drop_capabilities() < 0))
        fail();
    if (program) {
        execve(program, (char *[]) { (char *) titles[kind], NULL }, (char *[]) { NULL });
        fail();
    }
    forget_start(argv, kind);
    if (drop_libraries(kind, hook) < 0)
        fail();
}

/* ---- in the listener ---- */

static void close_pair(const int pair[2]) {
    close(pair[0]);
    close(pair[1]);
}

/* Beside this program, as in a build folder, or where it is installed. NULL: nowhere, or this build has none. */
static const char *find_program(char ret[static PATH_MAX]) {
#ifdef TEMPOFTP_FTP_CHILD
    ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - sizeof(CHILD_NAME));
    while (n > 0 && ret[n - 1] != '/')
        n--;
    if (n > 0) {
        strcpy(ret + n, CHILD_NAME);
        if (access(ret, X_OK) == 0)
            return ret;
    }
    if (access(TEMPOFTP_FTP_CHILD, X_OK) == 0)
        return TEMPOFTP_FTP_CHILD;
#endif
    return NULL;
}

static int send_all(int fd, const void *data, size_t size) {
    ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
    return n == (ssize_t) size ? 0 : n < 0 ? -errno : -EIO;
}

/* 0 when it has understood; in the middle of an upgrade it may not. */
static int charge(int fd, const Jail *jail, const ChildConfig *config, const char *program) {
    const BirthCharge c = {
        .version = TEMPOFTP_VERSION, .size = sizeof(SessionStart), .kind = jail->kind, .tls = jail->tls, .best_effort = config->best_effort,
        .landlock_abi = config->landlock_abi, .n_steps = jail->program.len,
    };

    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    char byte;

    int r = send_all(fd, &c, sizeof(c));
    if (r >= 0)
        r = send_all(fd, jail->program.filter, jail->program.len * sizeof(struct sock_filter));
    if (r >= 0 && poll(&pfd, 1, CHARGE_TIMEOUT_MS) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
        return 0;
    log_error("%s does not answer as it should: it must be of the same build as this program. In the middle of an upgrade, start again after it", program);
    return -EPROTO;
}

int zygote_start(Zygote *ret, const Jail *jail, const ChildConfig *config, char **argv, const ZygoteHook *hook, SessionStart *ret_start) {
    int tick[2], order[2];
    char path[PATH_MAX];
    const char *program = hook ? NULL : find_program(path);

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tick) < 0)
        return -errno;
    int r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, order) < 0 ? -errno : 0;
    if (r < 0) {
        close_pair(tick);
        return r;
    }
    pid_t pid = fork();
    if (pid == 0) {
        begin(jail->kind, program, argv, hook, tick[1], order[1]);
        zygote_live(jail, hook, ret_start);
        return 1;
    }
    r = pid < 0 ? -errno : 0;
    close(tick[1]);
    close(order[1]);
    if (r >= 0 && program)
        r = charge(tick[0], jail, config, program);
    if (r < 0) {
        close(tick[0]);
        close(order[0]);
        return r;
    }
    *ret = (Zygote) { .kind = jail->kind, .tick_fd = tick[0], .order_fd = order[0], .ahead = !hook || !hook->prepare };
    return 0;
}

void zygote_done(Zygote *z) {
    while (z->n_ready > 0)
        close(z->ready[--z->n_ready]);
    cleanup_close_(&z->tick_fd);
    cleanup_close_(&z->order_fd);
}

/* A child's wire: one end into the queue that children take them from. */
static int order_one(Zygote *z) {
    int pair[2];

    if (socketpair(AF_UNIX, (z->kind == JAIL_RELAY ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    int r = pass_fds(z->order_fd, "", 1, &pair[1], 1, MSG_DONTWAIT);
    close(pair[1]);
    if (r < 0)
        close(pair[0]);
    else
        z->ready[z->n_ready++] = pair[0];
    return r;
}

/* Up to `n` that are ready or about to be. */
static int order(Zygote *z, size_t n) {
    static const char ticks[BIRTH_READY_MAX];
    size_t before = z->n_ready;
    int r = 0;

    while (z->n_ready < n && r >= 0)
        r = order_one(z);
    if (z->n_ready > before && send(z->tick_fd, ticks, z->n_ready - before, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return -errno;
    return z->n_ready > before ? 0 : r;
}

static bool is_gone(int r) {
    return r == -EPIPE || r == -ECONNRESET || r == -ECONNREFUSED;
}

int birth_give(Zygote *z, const BirthFds *fds, const SessionStart *start, int *ret_wire) {
    const int given[] = { fds->control, fds->home, fds->drop };
    int r;

    do {
        if (z->n_ready == 0 && (r = order(z, 1)) < 0)
            return is_gone(r) ? -ECONNRESET : r;
        _cleanup_close_ int wire = z->ready[0];
        memmove(z->ready, z->ready + 1, --z->n_ready * sizeof(z->ready[0]));
        r = pass_fds(wire, start, sizeof(*start), given, fds->home < 0 ? 1 : fds->drop < 0 ? 2 : 3, MSG_DONTWAIT);
        if (r >= 0)
            *ret_wire = TAKE_FD(wire);
    } while (is_gone(r)); /* somebody has killed it while it waited: the next one */
    if (r >= 0 && z->ahead && z->n_ready < READY_LOW)
        (void) !order(z, BIRTH_READY_MAX); /* the next client's concern */
    return r;
}

int birth_hello(int wire, pid_t *ret_pid) {
    pid_t pid;

    ssize_t n = recv(wire, &pid, sizeof(pid), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return -EAGAIN;
    if (n != sizeof(pid) || pid <= 0)
        return 0;
    *ret_pid = pid;
    return 1;
}
