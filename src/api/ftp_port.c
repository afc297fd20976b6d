/* Finds out whether the FTP port is served by another program than ours. What that program is, and what it says, is not looked at. */
#include "api/ftp_port.h"

#include "basic/strings.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#define LISTEN 0x0a

bool ftp_port_line_listens(const char *line, uint16_t port) {
    unsigned local, state;

    return sscanf(line, " %*u: %*32[0-9A-Fa-f]:%4x %*32[0-9A-Fa-f]:%*4x %2x", &local, &state) == 2 && local == port && state == LISTEN;
}

static bool table_listens(const char *path, uint16_t port) {
    FILE *from = fopen(path, "re");
    char line[512];
    bool found = false;

    while (from && !found && fgets(line, sizeof(line), from))
        found = ftp_port_line_listens(line, port);
    if (from)
        fclose(from);
    return found;
}

static int try_address(const struct addrinfo *a) {
    _cleanup_close_ int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;
    socklen_t size = sizeof(error);

    if (fd < 0)
        return -errno;
    if (connect(fd, a->ai_addr, a->ai_addrlen) >= 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    int n = poll(&(struct pollfd) { .fd = fd, .events = POLLOUT }, 1, FTP_PORT_CONNECT_MS);
    if (n <= 0)
        return n < 0 ? -errno : -ETIMEDOUT;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

static int try_to_connect(const char *host, uint16_t port) {
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *addresses;
    char service[8];

    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &addresses) != 0)
        return -EHOSTUNREACH;
    int r = try_address(addresses); /* the first: several would have to share the time */
    freeaddrinfo(addresses);
    return r;
}

int ftp_port_probe(const Settings *s) {
    if (streq(s->pureftpd_program, "/dev/null"))
        return try_to_connect(s->ftp_host, s->ftp_port);
    return table_listens("/proc/net/tcp", s->ftp_port) || table_listens("/proc/net/tcp6", s->ftp_port) ? 0 : -ECONNREFUSED;
}
