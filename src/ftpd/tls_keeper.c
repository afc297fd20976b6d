/* Keeps the private key in a process of its own: starts it, is it, and asks it.
 *
 * Who may ask is whoever holds a socket that keeper_admit() made: each is good for one signature. The key never leaves; what is signed is not judged here. */
#include "ftpd/tls_keeper.h"

#include "basic/fds.h"
#include "basic/pass_fds.h"
#include "basic/strings.h"
#include "ftpd/takeover.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define KEEPER_FD CHILD_WIRE_FD
#define KEEPER_TIMEOUT_MS 10000
#define ASKERS_MAX 900 /* more than there can be handshakes under way */

/* Both ways; size 0 in an answer: refused. */
typedef struct Signature {
    uint32_t padding, size;
    uint8_t data[TLS_SIGN_MAX];
} Signature;

/* The keeper's first word: what is wrong, or nothing. */
typedef struct Word {
    char text[128];
} Word;

/* ---- sockets ---- */

static int receive_fd(int fd) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    char byte;
    struct iovec data = { &byte, 1 };
    struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    int passed;

    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n <= 0)
        return n == 0 ? -ECONNRESET : -errno;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_len != CMSG_LEN(sizeof(int)))
        return -EAGAIN;
    memcpy(&passed, CMSG_DATA(c), sizeof(passed));
    return passed;
}

/* One message of exactly this size, in time. */
static int receive_whole(int fd, void *ret, size_t size) {
    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    ssize_t n;

    for (;;) {
        n = recv(fd, ret, size, MSG_DONTWAIT);
        if (n >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
        int r = poll(&pfd, 1, KEEPER_TIMEOUT_MS);
        if (r == 0 || (r < 0 && errno != EINTR))
            return r == 0 ? -ETIMEDOUT : -errno;
    }
    if (n < 0)
        return -errno;
    return n == 0 ? -ECONNRESET : (size_t) n == size ? 0 : -EBADMSG;
}

/* ---- the process ---- */

static void say(const char *text) {
    Word word = { 0 };

    strncpy(word.text, text, sizeof(word.text) - 1);
    (void) !send(KEEPER_FD, &word, sizeof(word), MSG_NOSIGNAL);
}

static int load(const char *path, const char *certificate, TlsKey **ret) {
    _cleanup_(wipe_freep) char *pem = NULL;
    const char *error = NULL;
    size_t size;

    int r = read_file(path, TLS_PEM_MAX, &pem, &size);
    if (r < 0)
        say(r == -EACCES ? "this user may not read the key file" : r == -ENOENT ? "there is no key file" : strerror(-r));
    else {
        r = tls_key_new(pem, certificate, ret, &error);
        if (r < 0)
            say(error ? error : strerror(-r));
    }
    return r;
}

/* One question, one answer. */
static void answer(TlsKey *key, int fd) {
    Signature s;

    if (recv(fd, &s, sizeof(s), MSG_DONTWAIT) != sizeof(s) || s.size > sizeof(s.data))
        return;
    uint8_t signature[TLS_SIGN_MAX];
    int n = tls_key_sign(key, (int) s.padding, s.data, s.size, signature);
    s.size = n > 0 ? (uint32_t) n : 0;
    if (n > 0)
        memcpy(s.data, signature, (size_t) n);
    (void) !send(fd, &s, sizeof(s), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Until nobody is left: who has been admitted gets a signature of this key, also when another keeper has followed, with a renewed one. */
static int serve(TlsKey *key) {
    struct pollfd fds[1 + ASKERS_MAX] = { { .fd = KEEPER_FD, .events = POLLIN } };
    nfds_t n = 1;

    while (n > 1 || fds[0].fd >= 0) {
        fds[0].events = n < ELEMENTS(fds) ? POLLIN : 0;
        if (poll(fds, n, -1) < 0)
            continue;
        for (nfds_t i = n; i-- > 1;)
            if (fds[i].revents && !TAKEOVER_KEEPER(fds[i].fd)) {
                answer(key, fds[i].fd);
                close(fds[i].fd);
                fds[i] = fds[--n];
            }
        if (fds[0].revents) {
            int fd = receive_fd(KEEPER_FD);
            if (fd >= 0)
                fds[n++] = (struct pollfd) { .fd = fd, .events = POLLIN };
            else if (fd == -ECONNRESET)
                fds[0].fd = -1; /* poll() passes it over */
            else if (fd != -EAGAIN && fd != -EINTR)
                return fd;
        }
    }
    return 0;
}

/* Of all that is open, this one. */
static int keep_only(int fd) {
    if (fd != KEEPER_FD && dup2(fd, KEEPER_FD) < 0)
        return -errno;
    return close_range(KEEPER_FD + 1, ~0U, 0) < 0 ? -errno : 0;
}

static _Noreturn void live(const char *key_path, const char *certificate, const Jail *jail, int fd) {
    TlsKey *key = NULL;

    (void) prctl(PR_SET_NAME, "tempoftp-key"); /* for ps(1) */
    int r = jail_drop_capabilities();
    if (r >= 0)
        r = keep_only(fd);
    if (r >= 0)
        r = jail_end_output();
    if (r >= 0)
        r = load(key_path, certificate, &key);
    if (r >= 0)
        r = jail_seal(jail);
    if (r >= 0) {
        say("");
        r = serve(key);
    }
    _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---- the other side ---- */

int keeper_start(const char *key_path, const char *certificate, const Jail *jail, int *ret_fd, char **ret_error) {
    Word word;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    _cleanup_close_ int mine = pair[0];
    pid_t pid = _Fork(); /* a zygote has no libraries left whose handlers fork() would call */
    if (pid == 0)
        live(key_path, certificate, jail, pair[1]);
    int r = pid < 0 ? -errno : 0;
    close(pair[1]);
    if (r >= 0)
        r = receive_whole(mine, &word, sizeof(word));
    if (r < 0)
        return r;
    word.text[sizeof(word.text) - 1] = '\0';
    if (word.text[0]) {
        *ret_error = strdup(word.text);
        return -EINVAL;
    }
    *ret_fd = TAKE_FD(mine);
    return 0;
}

int keeper_admit(int keeper_fd) {
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    int r = pass_fds(keeper_fd, "", 1, &pair[1], 1, 0);
    close(pair[1]);
    if (r >= 0)
        return pair[0];
    close(pair[0]);
    return r;
}

int keeper_ask(void *userdata, int padding, const void *data, size_t size, uint8_t ret[static TLS_SIGN_MAX]) {
    int fd = *(int *) userdata;
    Signature s = { .padding = (uint32_t) padding, .size = (uint32_t) size };

    if (size > sizeof(s.data))
        return -E2BIG;
    memcpy(s.data, data, size);
    if (send(fd, &s, sizeof(s), MSG_NOSIGNAL) < 0)
        return -errno;
    int r = receive_whole(fd, &s, sizeof(s));
    if (r < 0)
        return r;
    if (s.size == 0 || s.size > sizeof(s.data))
        return -EACCES;
    memcpy(ret, s.data, s.size);
    return (int) s.size;
}
