/* What is known of each open connection: since when, and whether it was used. The rules of a drain stand here (RFC 9112 section 9.6, RFC 9113
 * section 6.8); it ends nothing itself. */
#define H2O_USE_LIBUV 0
#include "api/connection.h"

#include "basic/time.h"

#define ASK_MS 5000 /* who connects is about to ask; browsers also connect for later */
#define IDLE_MS 500 /* who was answered may just be asking again */

struct Connection {
    Connections *all;
    h2o_socket_t *socket;
    uint64_t since_ms;
    bool asked, http2;
    Connection *next, **at;
};

static void on_close(void *userdata) {
    Connection *c = userdata;
    Connections *all = c->all;

    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    free(c);
    all->n--;
    all->closed(all->userdata);
}

int connection_new(Connections *all, h2o_socket_t *socket) {
    Connection *c = malloc(sizeof(*c));

    if (!c)
        return -ENOMEM;
    *c = (Connection) { .all = all, .socket = socket, .since_ms = monotonic_ms(), .next = all->first, .at = &all->first };
    if (all->first)
        all->first->at = &c->next;
    all->first = c;
    all->n++;
    socket->on_close.cb = on_close;
    socket->on_close.data = c;
    return 0;
}

void connection_asked(h2o_req_t *req) {
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    Connection *c = socket->on_close.data;

    c->asked = true;
    c->http2 = req->version >= 0x200;
}

static bool is_owed(const Connection *c, uint64_t now, uint64_t closed_ms) {
    if (c->socket->input->size > 0) /* a part of a request */
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
