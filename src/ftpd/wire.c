/* The messages between listener and children: sizes, checks, sending, receiving.
 *
 * One table says which message may come from whom and how long it is. What a message makes happen is decided elsewhere. */
#include "ftpd/wire.h"

#include "basic/pass_fds.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define COMMON_SIZE 256 /* a report of a transfer with a path of usual length */
#define CAPACITY_MAX 4096

typedef struct Text {
    size_t offset, size; /* a string member; size 0: none */
} Text;

#define TEXT(type, member) { offsetof(type, member), sizeof(((type *) 0)->member) }

static const struct {
    WireSender from;
    size_t size;      /* of the whole struct */
    bool cut;         /* the last text is cut after its NUL on the wire */
    Text texts[2];
} messages[_WIRE_TYPE_MAX] = {
    [WIRE_LOGIN] = { WIRE_PRELOGIN, sizeof(WireLogin), false, { TEXT(WireLogin, user), TEXT(WireLogin, password) } },
    [WIRE_DENIED] = { WIRE_LISTENER, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_CLOSE] = { WIRE_LISTENER, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_FULL] = { WIRE_LISTENER, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_UNAVAILABLE] = { WIRE_LISTENER, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_GO] = { WIRE_LISTENER, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_ASK] = { WIRE_LISTENER, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_WHERE] = { WIRE_SESSION, sizeof(WireWhere), true, { TEXT(WireWhere, folder), TEXT(WireWhere, file) } },
    [WIRE_END] = { WIRE_LISTENER, sizeof(WireEnd), false, { TEXT(WireEnd, id) } },
    [WIRE_STAYS] = { WIRE_SESSION, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_TRANSFER] = { WIRE_SESSION, sizeof(WireTransfer), true, { TEXT(WireTransfer, path) } },
    [WIRE_BUSY] = { WIRE_SESSION, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_IDLE] = { WIRE_SESSION, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_RATE] = { WIRE_LISTENER, sizeof(WireRate), false, { { 0 } } },
    [WIRE_CONNECT] = { WIRE_SESSION, sizeof(WireConnect), false, { { 0 } } },
    [WIRE_CONNECTED] = { WIRE_LISTENER, sizeof(WireConnected), false, { { 0 } } },
    [WIRE_BYE] = { WIRE_SESSION, sizeof(WireBye), false, { TEXT(WireBye, reason) } },
    [WIRE_AGAIN] = { WIRE_SESSION, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_ROOM] = { WIRE_SESSION, sizeof(WireRoom), false, { { 0 } } },
    [WIRE_GRANT] = { WIRE_LISTENER, sizeof(WireGrant), false, { { 0 } } },
    [WIRE_SETTLE] = { WIRE_SESSION, sizeof(WireSettle), false, { { 0 } } },
    [WIRE_COUNT] = { WIRE_LISTENER, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_COUNTED] = { WIRE_SESSION, sizeof(WireCounted), false, { { 0 } } },
    [WIRE_UNTIL] = { WIRE_LISTENER, sizeof(WireUntil), false, { { 0 } } },
    [WIRE_AUTH_TLS] = { WIRE_PRELOGIN, sizeof(WireHeader), false, { { 0 } } },
    [WIRE_RELAYED] = { WIRE_LISTENER, sizeof(WireHeader), false, { { 0 } } },
};

/* The text that ends the message on the wire; NULL when the whole struct goes. */
static const Text *cut_text(uint32_t type) {
    if (!messages[type].cut)
        return NULL;
    return messages[type].texts[1].size > 0 ? &messages[type].texts[1] : &messages[type].texts[0];
}

int wire_check(const WireMessage *m, size_t size, WireSender from) {
    if (size < sizeof(WireHeader))
        return -EBADMSG;

    uint32_t type = m->header.type;
    if (type >= _WIRE_TYPE_MAX || messages[type].size == 0 || messages[type].from != from)
        return -EBADMSG;
    const Text *cut = cut_text(type);
    if (cut ? size <= cut->offset || size > cut->offset + cut->size : size != messages[type].size)
        return -EBADMSG;

    for (size_t i = 0; i < ELEMENTS(messages[type].texts) && messages[type].texts[i].size > 0; i++) {
        const Text *t = &messages[type].texts[i];
        if (!memchr((const char *) m + t->offset, '\0', t == cut ? size - t->offset : t->size))
            return -EBADMSG;
    }
    return 0;
}

size_t wire_size(const WireMessage *m) {
    const Text *cut = cut_text(m->header.type);
    return cut ? cut->offset + strnlen((const char *) m + cut->offset, cut->size - 1) + 1 : messages[m->header.type].size;
}

int wire_send_now(int fd, const WireMessage *m) {
    for (;;) {
        if (send(fd, m, wire_size(m), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
}

int wire_send(int fd, const WireMessage *m) {
    for (;;) {
        int r = wire_send_now(fd, m);
        if (r != -EAGAIN)
            return r;
        struct pollfd pfd = { .fd = fd, .events = POLLOUT };
        r = poll(&pfd, 1, WIRE_SEND_TIMEOUT_MS);
        if (r < 0 && errno != EINTR)
            return -errno;
        if (r == 0)
            return -ETIMEDOUT;
    }
}

int wire_receive(int fd, WireSender from, WireMessage *ret) {
    for (;;) {
        ssize_t n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT);
        if (n > 0) {
            int r = wire_check(ret, (size_t) n, from);
            return r < 0 ? r : 1;
        }
        if (n == 0 || errno == ECONNRESET)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
}

size_t wire_capacity(void) {
    const char message[COMMON_SIZE] = "";
    size_t n = 0;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return 0;
    while (n < CAPACITY_MAX && send(pair[0], message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        n++;
    close(pair[0]);
    close(pair[1]);
    return n;
}

/* ---- with an fd ---- */

typedef union PassedFd {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
} PassedFd;

int wire_send_fd_now(int fd, const WireMessage *m, int passed) {
    return pass_fds(fd, m, wire_size(m), &passed, passed >= 0, MSG_DONTWAIT);
}

int wire_receive_fd(int fd, WireSender from, WireMessage *ret, int *ret_fd) {
    *ret_fd = -EBADF;
    for (;;) {
        PassedFd control;
        struct iovec data = { ret, sizeof(*ret) };
        struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
        ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n > 0) {
            const struct cmsghdr *c = CMSG_FIRSTHDR(&message);
            if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
                memcpy(ret_fd, CMSG_DATA(c), sizeof(*ret_fd));
            int r = wire_check(ret, (size_t) n, from);
            if (r >= 0)
                return 1;
            cleanup_close_(ret_fd);
            *ret_fd = -EBADF;
            return r;
        }
        if (n == 0 || errno == ECONNRESET)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
}
