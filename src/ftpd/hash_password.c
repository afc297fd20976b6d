/* Makes the hash of a password that somebody types. The password is on this stack and nowhere else, and wiped from it. */
#include "ftpd/hash_password.h"

#include "basic/log.h"
#include "basic/strings.h"
#include "crypto/password.h"
#include "ftpd/wire.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <termios.h>

#define PASSWORD_MAX (WIRE_PASSWORD_SIZE - 1)

/* One line without its end, from `fd`; byte by byte where it is a pipe, so that nothing stays in a buffer. -ENODATA: nothing came; -E2BIG. A signal on
 * signal_fd (or -1) is -ECANCELED. */
static int read_one_line(int fd, int signal_fd, char ret[static WIRE_PASSWORD_SIZE]) {
    struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };
    size_t n = 0;

    for (;;) {
        char c;
        if (poll(fds, ELEMENTS(fds), -1) < 0)
            return -errno;
        if (fds[1].revents)
            return -ECANCELED;
        ssize_t got = read(fd, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0 && n == 0)
            return -ENODATA;
        if (got == 0 || c == '\n')
            break;
        if (n == PASSWORD_MAX)
            return -E2BIG;
        ret[n++] = c;
    }
    if (n > 0 && ret[n - 1] == '\r')
        n--;
    ret[n] = '\0';
    return strlen(ret) == n && n > 0 && !strchr(ret, '\r') ? 0 : -EINVAL; /* what FTP's PASS can carry */
}

static int ask(const char *question, int signal_fd, char ret[static WIRE_PASSWORD_SIZE]) {
    fputs(question, stderr);
    int r = read_one_line(STDIN_FILENO, signal_fd, ret);
    fputc('\n', stderr);
    return r;
}

static int ask_twice(int signal_fd, char ret[static WIRE_PASSWORD_SIZE]) {
    char again[WIRE_PASSWORD_SIZE] = "";

    int r = ask("Password: ", signal_fd, ret);
    if (r >= 0)
        r = ask("The same again: ", signal_fd, again);
    if (r >= 0 && !streq(ret, again)) {
        log_error("These were two different passwords");
        r = -ECANCELED;
    }
    wipe(again, sizeof(again));
    return r;
}

/* Signals wait until echo is back. */
static int ask_on_terminal(char ret[static WIRE_PASSWORD_SIZE]) {
    static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
    struct termios before, silent;
    sigset_t signals, others;

    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return -errno;
    sigemptyset(&signals);
    for (size_t i = 0; i < ELEMENTS(held); i++)
        sigaddset(&signals, held[i]);
    _cleanup_close_ int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (signal_fd < 0 || sigprocmask(SIG_BLOCK, &signals, &others) < 0)
        return -errno;
    silent = before;
    silent.c_lflag &= ~(tcflag_t) ECHO;
    int r = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) < 0 ? -errno : ask_twice(signal_fd, ret);
    (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void) sigprocmask(SIG_SETMASK, &others, NULL);
    return r;
}

int hash_password_run(void) {
    char password[WIRE_PASSWORD_SIZE] = "", hash[PASSWORD_HASH_SIZE];

    bool terminal = isatty(STDIN_FILENO);
    int r = terminal ? ask_on_terminal(password) : read_one_line(STDIN_FILENO, -1, password);
    if (r >= 0)
        r = password_hash_at(password, PASSWORD_COST_PERSON, hash);
    wipe(password, sizeof(password));
    if (r == -ECANCELED)
        return r;
    if (r == -EINVAL || r == -E2BIG || r == -ENODATA) {
        log_error("A password is one line of 1 to %d bytes", PASSWORD_MAX);
        return -EINVAL;
    }
    if (r < 0)
        return log_errno(r, "Cannot read the password");
    if (terminal)
        fprintf(stderr, "A line for --users-file is NAME:HASH[:ro|rw[:BYTES]], HASH is this (Argon2id, %u KiB, %u pass):\n",
                PASSWORD_COST_PERSON.kib, PASSWORD_COST_PERSON.passes);
    if (puts(hash) < 0 || fflush(stdout) != 0)
        return log_errno(-errno, "Cannot print the hash");
    return 0;
}
