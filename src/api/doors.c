/* Sockets from systemd and from --listen become listeners of the server; the first that speaks TLS has the certificate read. What comes in by them is for
 * others. */
#include "api/doors.h"

#include "api/certificate.h"
#include "api/server.h"
#include "basic/strings.h"
#include "model/messages.h"

#include <arpa/inet.h>

#define TLS_PREFIX "https://"

/* By the names that socket units give them. */
static const char *const names[WAYS] = { [WAY_HTTP] = "http", [WAY_HTTPS] = "https", [WAY_UNIX] = "api" };

typedef struct Doors {
    Manager *m;
    unsigned n[WAYS];
    bool to_others; /* plain HTTP that other machines can reach */
} Doors;

static bool is_for_others(int fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } a = { 0 };
    socklen_t size = sizeof(a);

    if (getsockname(fd, &a.any, &size) < 0)
        return true;
    if (a.any.sa_family == AF_INET)
        return ntohl(a.in.sin_addr.s_addr) >> 24 != 127;
    return a.any.sa_family == AF_INET6 && !IN6_IS_ADDR_LOOPBACK(&a.in6.sin6_addr);
}

static int add(Doors *d, int fd, Way way) {
    int r = 0;

    if (way == WAY_HTTPS && !d->m->certificate)
        r = certificate_open(d->m, &d->m->certificate);
    if (r < 0) {
        close(fd);
        return r;
    }
    if (way == WAY_HTTPS && d->n[way] == 0)
        server_use_certificate(d->m->server, certificate_context(d->m->certificate));
    d->to_others = d->to_others || (way == WAY_HTTP && is_for_others(fd));
    d->n[way]++;
    return server_add_listener(d->m->server, fd, way);
}

static int add_passed(Doors *d, ListenFds *passed) {
    int fd;

    for (Way way = 0; way < WAYS; way++)
        while ((fd = listen_fds_take(passed, names[way])) >= 0) {
            int r = add(d, fd, way);
            if (r < 0)
                return log_errno(r, "Cannot use the sockets from systemd");
        }
    return 0;
}

static int add_listen(Doors *d, const char *address) {
    bool tls = has_prefix(address, TLS_PREFIX);

    int fd = listen_on(tls ? address + strlen(TLS_PREFIX) : address);
    int r = fd < 0 ? fd : add(d, fd, tls ? WAY_HTTPS : *address == '/' ? WAY_UNIX : WAY_HTTP);
    return r < 0 ? log_errno(r, "Cannot listen on %s", address) : 0;
}

int doors_open(Manager *m, ListenFds *passed, const char *const *listen) {
    Doors d = { .m = m };

    int r = add_passed(&d, passed);
    for (; r >= 0 && *listen; listen++)
        r = add_listen(&d, *listen);
    if (r < 0)
        return r;
    if (d.n[WAY_HTTP] + d.n[WAY_HTTPS] + d.n[WAY_UNIX] == 0) {
        log_error("No socket to listen on: start tempoftp.socket (systemctl start tempoftp.socket), or give --listen");
        return -EINVAL;
    }
    if (d.n[WAY_HTTPS] > 0 && d.to_others) {
        LogContext about = { .message_id = MESSAGE_ID_PLAIN_HTTP };
        log_line(LOG_WARNING, &about, "Besides HTTPS, other machines reach the API in plain HTTP too: passwords and tokens that go that way can be "
                                      "read. Bind tempoftp.socket to 127.0.0.1, or keep the port behind a firewall");
    }
    return 0;
}
