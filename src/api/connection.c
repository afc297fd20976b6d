/* What is known of each open connection: whose it is, since when, and whether it was used; how many there may be. The rules of a drain stand here
 * (RFC 9112 section 9.6, RFC 9113 section 6.8); it ends nothing itself. */
#define H2O_USE_LIBUV 0
#include "api/connection.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/network.h"

#include <errno.h>

#define ASK_MS 5000 /* who connects is about to ask; browsers also connect for later */
#define IDLE_MS 500 /* who was answered may just be asking again */

struct Connection {
    Intake intake; /* the first: on_close.data of a socket is both */
    Connections *all;
    h2o_socket_t *socket;
    uint64_t since_ms;
    bool handshake, asked, http2, over_unix;
    char site[SITE_TEXT_MAX];
    Connection *next, **at, *next_of_chain, **at_chain;
};

/* The chain that a site's connections are in; with others, which only costs time. */
static Connection **chain_of(Connections *all, const char *site) {
    uint32_t h = 2166136261u;

    for (; *site; site++)
        h = (h ^ (unsigned char) *site) * 16777619u;
    return &all->chains[(h ^ h >> 16) % CONNECTION_CHAINS];
}

static void link_connection(Connections *all, Connection *c) {
    Connection **chain = chain_of(all, c->site);

    c->next = all->first;
    c->at = &all->first;
    if (c->next)
        c->next->at = &c->next;
    all->first = c;
    c->next_of_chain = *chain;
    c->at_chain = chain;
    if (c->next_of_chain)
        c->next_of_chain->at_chain = &c->next_of_chain;
    *chain = c;
    all->n++;
    all->n_unix += c->over_unix;
}

static void unlink_connection(Connections *all, Connection *c) {
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    *c->at_chain = c->next_of_chain;
    if (c->next_of_chain)
        c->next_of_chain->at_chain = c->at_chain;
    all->n--;
    all->n_unix -= c->over_unix;
}

static void on_close(void *userdata) {
    Connection *c = userdata;

    intake_end(&c->intake);
    unlink_connection(c->all, c);
    free(c);
}

static void read_peer(h2o_socket_t *socket, char ret[static ADDRESS_TEXT_MAX]) {
    struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };

    (void) h2o_socket_getpeername(socket, (struct sockaddr *) &peer);
    address_text((const struct sockaddr *) &peer, ret);
}

/* Peers of the Unix socket may do what they like to the service by other means; but they too can have a bug. */
int connections_refuse(Connections *all, h2o_socket_t *socket, Way way, const Settings *settings) {
    char peer[ADDRESS_TEXT_MAX], site[SITE_TEXT_MAX];
    unsigned n = 0;

    if (way == WAY_UNIX)
        return all->n_unix >= CONNECTIONS_UNIX_MAX ? 503 : 0;
    if (all->n - all->n_unix >= settings->max_connections)
        return 503;
    read_peer(socket, peer);
    network_site(peer, site);
    for (const Connection *c = *chain_of(all, site); c; c = c->next_of_chain)
        n += streq(c->site, site);
    return n >= settings->max_per_address && !networks_contain(settings->proxies, peer) ? 429 : 0;
}

int connection_new(Connections *all, h2o_socket_t *socket, Way way) {
    Connection *c = malloc(sizeof(*c));
    char peer[ADDRESS_TEXT_MAX];

    if (!c)
        return -ENOMEM;
    *c = (Connection) {
        .all = all, .socket = socket, .since_ms = monotonic_ms(), .handshake = way == WAY_HTTPS, .over_unix = way == WAY_UNIX,
    };
    read_peer(socket, peer);
    network_site(peer, c->site);
    link_connection(all, c);
    socket->on_close.cb = on_close;
    socket->on_close.data = c;
    intake_begin(&all->intakes, &c->intake, socket);
    return 0;
}

bool connection_ready(h2o_socket_t *socket) {
    Connection *c = socket->on_close.data;

    c->handshake = false;
    c->since_ms = monotonic_ms();
    return intake_ready(&c->intake);
}

Connection *connection_of(const h2o_req_t *req) {
    return req->conn->callbacks->get_socket(req->conn)->on_close.data;
}

void connection_asked(Connection *c, const h2o_req_t *req) {
    c->asked = true;
    c->http2 = req->version >= 0x200;
    intake_asked(&c->intake, c->http2, req->entity.len);
}

void connection_answered(Connection *c) {
    intake_answered(&c->intake);
}

void connection_linger(Connection *c) {
    intake_linger(&c->intake);
}

void connections_check(Connections *all, h2o_context_t *context) {
    uint64_t now = monotonic_ms();

    for (Connection *c = all->first, *next; c; c = next) {
        next = c->next; /* ending one ends no other */
        intake_check(&c->intake, now);
    }
    intakes_check_streams(context);
    lingers_check(&all->intakes.lingers, now);
}

static bool is_owed(const Connection *c, uint64_t now, uint64_t closed_ms) {
    if (c->handshake || c->socket->input->size > 0) /* both have their time limits; the second is a part of a request */
        return true;
    if (!c->asked)
        return now - c->since_ms < ASK_MS;
    /* HTTP/2 is told what was heard of it, and libh2o closes it then; HTTP/1 learns it with its next answer, if it asks. */
    return c->http2 || now - closed_ms < IDLE_MS;
}

bool connections_owe(const Connections *all, uint64_t closed_ms) {
    uint64_t now = monotonic_ms();

    for (const Connection *c = all->first; c; c = c->next)
        if (is_owed(c, now, closed_ms))
            return true;
    return false;
}
