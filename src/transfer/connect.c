/* tempoftp-connect ADDRESS PORT: the ProxyCommand of tempoftp-transfer(8)'s ssh. Makes the TCP connection, hands it to ssh over standard output (man
 * ssh_config, ProxyUseFdpass) and is gone.
 *
 * ssh by itself leaves Nagle's algorithm on, and both ends wait for each other's delayed acknowledgements twice, 40 ms each, before the first file moves. */
#include "basic/pass_fds.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TIMEOUT_MS 20000
#define EXIT_USAGE 64
#define EXIT_NOT_CONNECTED 1

#ifndef TCP_DELACK_MAX_US /* Linux 6.16 */
#define TCP_DELACK_MAX_US 46
#endif

/* At least two ticks of the kernel's clock, which are 2 to 20 ms. A kernel that knows no such option acknowledges after 40 ms, as ever. */
static void acknowledge_soon(int fd) {
    for (int us = 2000; us <= 20000 && setsockopt(fd, IPPROTO_TCP, TCP_DELACK_MAX_US, &us, sizeof(us)) < 0 && errno == EINVAL; us += 2000)
        ;
}

static int finish(int fd) {
    struct pollfd answer = { fd, POLLOUT, 0 };
    int error = 0, n;
    socklen_t size = sizeof(error);

    while ((n = poll(&answer, 1, TIMEOUT_MS)) < 0 && errno == EINTR)
        ;
    if (n < 0)
        return -errno;
    if (n == 0)
        return -ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
}

static int connect_to(const struct addrinfo *to, int *ret) {
    _cleanup_close_ int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    int r = 0;

    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        return -errno;
    acknowledge_soon(fd);
    if (connect(fd, to->ai_addr, to->ai_addrlen) < 0)
        r = errno == EINPROGRESS ? finish(fd) : -errno;
    if (r < 0)
        return r;
    *ret = TAKE_FD(fd);
    return 0;
}

int main(int argc, char **argv) {
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    struct addrinfo *to;
    _cleanup_close_ int fd = -EBADF;
    int r;

    if (argc != 3 || getaddrinfo(argv[1], argv[2], &hints, &to) != 0) {
        fputs("Usage: tempoftp-connect ADDRESS PORT\n\nMakes a connection for ssh(1), see tempoftp-transfer(8).\n", stderr);
        return EXIT_USAGE;
    }
    r = connect_to(to, &fd);
    freeaddrinfo(to);
    if (r >= 0)
        r = pass_fds(STDOUT_FILENO, "", 1, &fd, 1, 0);
    if (r >= 0)
        return 0;
    fprintf(stderr, "ssh: connect to host %s port %s: %s\n", argv[1], argv[2], strerror(-r)); /* ssh's own words, see model/cause.h */
    return EXIT_NOT_CONNECTED;
}
