/* Connects, and asks the rule about addresses of each socket before it does. It knows nothing of what is spoken afterwards. */
#include "export/dial.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>

#define LOOK_MS 200 /* how often Flow.stop is looked at */

typedef union Address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} Address;

static socklen_t address_make(const char *text, uint16_t port, Address *ret) {
    *ret = (Address) { 0 };
    if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(port);
        return sizeof(ret->v4);
    }
    if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) != 1)
        return 0;
    ret->v6.sin6_family = AF_INET6;
    ret->v6.sin6_port = htons(port);
    return sizeof(ret->v6);
}

/* 0, -ECANCELED, or why it did not connect. */
static int wait_connected(const Line *line, const bool *cleaning, int fd, uint64_t deadline) {
    for (;;) {
        struct pollfd ready = { fd, POLLOUT, 0 };
        socklen_t size = sizeof(int);
        int error = 0;

        if (poll(&ready, 1, LOOK_MS) < 0 && errno != EINTR)
            return -errno;
        if (atomic_load(&line->flow->stop) && !*cleaning)
            return -ECANCELED;
        if (ready.revents)
            return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
        if (monotonic_ms() >= deadline)
            return -ETIMEDOUT;
    }
}

static int try_address(const Line *line, const bool *cleaning, const Address *a, socklen_t size, uint64_t deadline, int *ret_fd) {
    _cleanup_close_ int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = 0, yes = 1;

    if (fd < 0)
        return -errno;
    if (connect(fd, &a->any, size) < 0)
        r = errno == EINPROGRESS ? wait_connected(line, cleaning, fd, deadline) : -errno;
    if (r >= 0)
        r = set_nonblocking(fd, false);
    if (r < 0)
        return r;
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    (void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int dial(const Line *line, const bool *cleaning, int *ret_fd, ExportFailure *ret_failure) {
    uint64_t deadline = monotonic_ms() + line->connect_seconds * UINT64_C(1000);
    bool refused = false;
    int r = -EADDRNOTAVAIL;

    for (size_t i = 0; line->order->addresses[i]; i++) {
        Address a;
        socklen_t size = address_make(line->order->addresses[i], line->order->port, &a);

        if (size == 0)
            continue;
        if (!line_allows(line, &a.any)) {
            refused = true;
            continue;
        }
        r = try_address(line, cleaning, &a, size, deadline, ret_fd);
        if (r >= 0 || r == -ECANCELED)
            return r;
    }
    return refused && r == -EADDRNOTAVAIL ? failed(ret_failure, EXPORT_ADDRESS, NULL) : failed(ret_failure, EXPORT_CONNECT, strerror(-r));
}
