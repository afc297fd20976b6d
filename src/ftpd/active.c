/* PORT and EPRT, and the session's half of connecting to the client. dial.c is the listener's. */
#include "ftpd/active.h"

#include "basic/time.h"
#include "ftpd/address.h"
#include "ftpd/endpoint.h"
#include "ftpd/jail.h"
#include "ftpd/transfer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

void active_reset(Session *s) {
    cleanup_close_(&s->active.fd);
    s->active = (Active) { .fd = -EBADF, .serial = s->active.serial };
}

/* RFC 2577 sections 3 and 4: only to the client itself, never to a port of a service. */
static int choose(Session *s, const Endpoint *e) {
    struct in6_addr peer = address_key((const struct sockaddr *) &s->start->peer);
    int fd = s->conversation.fd;

    if (memcmp(&peer, &e->address, sizeof(peer)) != 0)
        return reply(fd, 501, "La dirección no es la de esta conexión; use el modo pasivo.");
    if (e->port < ACTIVE_PORT_MIN)
        return reply(fd, 501, "El puerto tiene que ser %d o mayor.", ACTIVE_PORT_MIN);
    data_reset(&s->data);
    active_reset(s);
    s->active.port = e->port;
    return reply(fd, 200, "Se usará ese puerto.");
}

int active_port(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    Endpoint e;

    int r = transfer_may_choose(s);
    if (r <= 0)
        return r;
    if (endpoint_parse_port(argument, &e) < 0)
        return reply(c->fd, 501, "PORT espera seis números separados por comas.");
    return choose(s, &e);
}

int active_eprt(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    struct in_addr address;
    Endpoint e;

    int r = transfer_may_choose(s);
    if (r <= 0)
        return r;
    bool v4 = address_is_ipv4((const struct sockaddr *) &s->start->peer, &address);
    r = endpoint_parse_eprt(argument, &e);
    if (r == -EPROTONOSUPPORT || (r >= 0 && !!IN6_IS_ADDR_V4MAPPED(&e.address) != v4))
        return reply(c->fd, 522, "Protocolo de red no admitido, use (%d).", v4 ? 1 : 2);
    if (r < 0)
        return reply(c->fd, 501, "EPRT espera |protocolo|dirección|puerto|.");
    return choose(s, &e);
}

void active_on_connected(Session *s, const WireConnected *m, int fd) {
    _cleanup_close_ int owned = fd;

    if (!s->active.waiting || m->header.serial != s->active.serial) /* too late: nobody waits for it any more */
        return;
    s->active.waiting = false;
    s->active.error = m->error < 0 ? m->error : owned < 0 ? -EBADMSG : 0;
    if (s->active.error == 0)
        s->active.fd = TAKE_FD(owned);
}

int active_connect(Session *s) {
    WireMessage m = { .connect = { .header = { .type = WIRE_CONNECT, .serial = ++s->active.serial }, .port = s->active.port } };
    struct pollfd pfd = { .fd = CHILD_WIRE_FD, .events = POLLIN };
    uint64_t deadline = monotonic_ms() + data_patience_ms(&s->data);

    s->active.port = 0; /* for one transfer */
    int r = wire_send(CHILD_WIRE_FD, &m);
    s->active.waiting = r >= 0;
    while (r >= 0 && s->active.waiting) {
        if (poll(&pfd, 1, DATA_TICK_MS) < 0 && errno != EINTR)
            r = -errno;
        else
            r = session_watch(s);
        if (r >= 0 && s->active.waiting && monotonic_ms() >= deadline)
            r = -ETIMEDOUT;
    }
    s->active.waiting = false;
    if (r >= 0)
        r = s->active.error;
    if (r >= 0)
        data_adopt(&s->data, TAKE_FD(s->active.fd));
    return r;
}
