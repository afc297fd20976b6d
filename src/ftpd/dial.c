/* Connects to the address that a client came from, when its session asks for it, and hands the connection over.
 *
 * The session chooses a port from ACTIVE_PORT_MIN up and nothing else: the address is the listener's own knowledge. No byte of the connection is read
 * or written here. The kernel limits how long it tries (DIAL_TRIES). */
#include "ftpd/dial.h"

#include "basic/log.h"
#include "ftpd/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#define DIAL_TRIES 4 /* with pauses of 1, 2, 4, 8 and 16 s: a little longer than a session waits */

void dial_end(Connection *c) {
    c->dial_source = sd_event_source_disable_unref(c->dial_source);
    cleanup_close_(&c->dial_fd);
    c->dial_fd = -EBADF;
}

static void answer(Connection *c, int error) {
    WireMessage m = { .connected = { .header = { .type = WIRE_CONNECTED, .serial = c->dial_serial }, .error = error } };

    if (wire_send_fd_now(c->wire_fd, &m, error < 0 ? -EBADF : c->dial_fd) < 0)
        log_debug("The session of %s does not take its data connection", c->account);
    dial_end(c);
}

static int on_connected(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    Connection *c = userdata;
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    answer(c, -error);
    return 0;
}

static void set_port(struct sockaddr_storage *a, uint16_t port) {
    ((struct sockaddr_in *) a)->sin_port = htons(port); /* the same place in sockaddr_in6 */
}

/* From the address that the client knows us by; after a restart of the listener only the peer's is known. */
static int dial(Connection *c, uint16_t port) {
    struct sockaddr_storage peer = c->peer, local = c->local;
    socklen_t size = peer.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    const int on = 1, tries = DIAL_TRIES;

    c->dial_fd = socket(peer.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->dial_fd < 0)
        return -errno;
    set_port(&peer, port);
    set_port(&local, 0);
    if (setsockopt(c->dial_fd, IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof(tries)) < 0 ||
        setsockopt(c->dial_fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0)
        return -errno;
    if (local.ss_family == peer.ss_family && bind(c->dial_fd, (struct sockaddr *) &local, size) < 0)
        return -errno;
    if (connect(c->dial_fd, (struct sockaddr *) &peer, size) < 0 && errno != EINPROGRESS)
        return -errno;
    return sd_event_add_io(c->listener->event, &c->dial_source, c->dial_fd, EPOLLOUT, on_connected, c);
}

int dial_start(Connection *c, const WireConnect *m) {
    if (m->port < ACTIVE_PORT_MIN || m->port > UINT16_MAX)
        return -EBADMSG;
    dial_end(c);
    c->dial_serial = m->header.serial;
    int r = dial(c, (uint16_t) m->port);
    if (r < 0)
        answer(c, r);
    return 0;
}
