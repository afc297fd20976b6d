/* fork and exec, pipes and ends. It knows processes, not what they are for. */
#include "transfer/child.h"

#include "basic/fds.h"
#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define LINE_MAX_SIZE 4096
#define TERM_PATIENCE_MS 2000
#define EXIT_JAIL 125 /* of a child that never got to its program */
#define EXIT_EXEC 126

extern char **environ;

static _Noreturn void run(const char *const *argv, const Jail *jail, int out, int err, pid_t parent) {
    /* C: messages are what model/cause.h looks for. Nothing of systemd's (NOTIFY_SOCKET, CREDENTIALS_DIRECTORY) goes on. */
    char *const environment[] = { (char *) "PATH=/usr/bin:/bin", (char *) "LC_ALL=C", (char *) "HOME=/nonexistent", NULL };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(EXIT_EXEC);
    /* SIGTERM: rsync then keeps the file it is at in its partial folder. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
        _exit(EXIT_EXEC);
    if (jail) {
        int r = jail_enter(jail);
        if (r < 0) {
            dprintf(STDERR_FILENO, "landlock: %s\n", strerror(-r));
            _exit(EXIT_JAIL);
        }
    }
    execve(argv[0], (char *const *) argv, environment);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(EXIT_EXEC);
}

static void close_pair(int (*pair)[2]) {
    cleanup_close_(&(*pair)[0]);
    cleanup_close_(&(*pair)[1]);
}

int child_start(const char *const *argv, const Jail *jail, Child *ret) {
    _cleanup_(close_pair) int out[2] = { -EBADF, -EBADF }, err[2] = { -EBADF, -EBADF };
    pid_t self = getpid(), pid;
    int pidfd, r;

    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
        return -errno;
    if ((r = set_nonblocking(out[0], true)) < 0 || (r = set_nonblocking(err[0], true)) < 0)
        return r;
    pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        run(argv, jail, out[1], err[1], self);
    pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        r = -errno;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return r;
    }
    *ret = (Child) { .pid = pid, .pidfd = pidfd, .out = TAKE_FD(out[0]), .err = TAKE_FD(err[0]) };
    return 0;
}

/* Takes what is in the pipe of stderr; closes it at its end. */
static int take_said(Child *c) {
    char bytes[4096];

    while (c->err >= 0) {
        ssize_t n = read(c->err, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n <= 0) {
            cleanup_close_(&c->err);
            break;
        }
        size_t room = c->said.size < SAID_MAX ? SAID_MAX - c->said.size : 0;
        buffer_append(&c->said, bytes, (size_t) n < room ? (size_t) n : room);
    }
    return c->said.error;
}

typedef struct Lines {
    char text[LINE_MAX_SIZE]; /* longer lines are cut */
    size_t size;
    bool redrawn;             /* it began with '\r' */
    bool enough;
    ChildLine line;
    void *userdata;
} Lines;

static void lines_end(Lines *l) {
    l->text[l->size] = '\0';
    if (l->size > 0 && l->line && !l->line(l->text, l->size, l->userdata))
        l->enough = true;
    l->size = 0;
}

static void lines_feed(Lines *l, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != '\n' && bytes[i] != '\r') {
            if (l->size < sizeof(l->text) - 1)
                l->text[l->size++] = bytes[i];
            continue;
        }
        lines_end(l);
        l->redrawn = bytes[i] == '\r';
    }
}

/* rsync writes its progress in one piece, with the '\r' in front: waiting for the next one would be a second late. */
static void lines_drained(Lines *l) {
    if (l->redrawn)
        lines_end(l);
}

static void take_out(Child *c, Lines *l) {
    char bytes[4096];

    while (c->out >= 0) {
        ssize_t n = read(c->out, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            cleanup_close_(&c->out);
            break;
        }
        lines_feed(l, bytes, (size_t) n);
    }
    lines_drained(l);
}

static int reap(Child *c, int flags) {
    siginfo_t info = { 0 };

    if (c->ended)
        return 0;
    if (waitid(P_PID, (id_t) c->pid, &info, WEXITED | flags) < 0)
        return errno == EINTR ? 0 : -errno;
    if (info.si_pid == 0) /* WNOHANG, and it runs */
        return 0;
    c->ended = true;
    if (info.si_code == CLD_EXITED)
        c->exit_status = info.si_status;
    else
        c->term_signal = info.si_status;
    return 0;
}

int child_look(Child *c) {
    int r = take_said(c);
    return r < 0 ? r : reap(c, WNOHANG);
}

/* A program's own children may hold its pipes open after its end: only its end counts then. */
int child_wait(Child *c, ChildLine line, void *userdata) {
    Lines lines = { .line = line, .userdata = userdata };
    int r = 0;

    while (!c->ended && !(lines.enough && c->said.size == 0)) {
        struct pollfd fds[] = { { c->out, POLLIN, 0 }, { c->err, POLLIN, 0 }, { c->pidfd, POLLIN, 0 } };

        if (poll(fds, ELEMENTS(fds), -1) < 0 && errno != EINTR)
            return -errno;
        if (fds[2].revents)
            r = reap(c, WNOHANG);
        take_out(c, &lines);
        if (r < 0 || (r = take_said(c)) < 0)
            return r;
    }
    return 0;
}

void child_done(Child *c) {
    if (c->pid > 0 && !c->ended) {
        struct pollfd end = { c->pidfd, POLLIN, 0 };

        kill(c->pid, SIGTERM);
        if (poll(&end, 1, TERM_PATIENCE_MS) <= 0)
            kill(c->pid, SIGKILL);
        (void) reap(c, 0);
    }
    cleanup_close_(&c->pidfd);
    cleanup_close_(&c->out);
    cleanup_close_(&c->err);
    buffer_done(&c->said);
    *c = CHILD_NONE;
}

void child_detail(const char *said, char *ret, size_t size) {
    const char *line = said ? said : "";
    size_t n;

    /* ssh frames its loudest warnings with '@'. */
    while (*line == '\n' || *line == '\r' || *line == '@')
        line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n');
    n = strcspn(line, "\r\n");
    if (n >= size)
        n = size - 1;
    memcpy(ret, line, n);
    ret[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char) ret[i] < ' ' || ret[i] == 0x7f)
            ret[i] = ' ';
}
