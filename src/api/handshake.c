/* One handshake: begun, counted when it fails, and handed on to libh2o as HTTP/2 or HTTP/1.1. Certificates and ciphers are others' business. */
#define H2O_USE_LIBUV 0
#include "api/handshake.h"

#include "basic/fds.h"
#include "basic/log.h"

#include <h2o/http1.h>
#include <h2o/http2.h>

/* In the order in which they are preferred; a list ends with an empty name. */
#define HTTP1 { (char *) "http/1.1", 8 }
#define HTTP2 { (char *) "h2", 2 }
static const h2o_iovec_t usual[] = { HTTP2, HTTP1, { NULL, 0 } };
static const h2o_iovec_t draining[] = { HTTP1, HTTP2, { NULL, 0 } };

typedef struct Handshake {
    Handshakes *all;
    h2o_accept_ctx_t *accept;
    struct timeval connected_at;
} Handshake;

void handshakes_init(Handshakes *all, SSL_CTX *context) {
    *all = (Handshakes) { .context = context };
    if (context)
        h2o_ssl_register_alpn_protocols(context, usual);
}

void handshakes_drain(Handshakes *all) {
    if (all->context)
        h2o_ssl_register_alpn_protocols(all->context, draining);
}

static void give_up(Handshakes *all, h2o_socket_t *socket, const char *why) {
    char peer[ADDRESS_TEXT_MAX];

    all->failed++;
    peer_text(h2o_socket_get_fd(socket), peer);
    log_debug("No TLS handshake with %s: %s", peer, why);
    h2o_socket_close(socket);
}

static void on_complete(h2o_socket_t *socket, const char *error) {
    Handshake h = *(Handshake *) socket->data;

    free(socket->data);
    socket->data = NULL;
    if (error) {
        give_up(h.all, socket, error);
        return;
    }
    if (!connection_ready(socket))
        return;
    h2o_iovec_t protocol = h2o_socket_ssl_get_selected_protocol(socket);
    if (h2o_memis(protocol.base, protocol.len, usual[0].base, usual[0].len))
        h2o_http2_accept(h.accept, socket, h.connected_at);
    else
        h2o_http1_accept(h.accept, socket, h.connected_at);
}

void handshake_begin(Handshakes *all, h2o_accept_ctx_t *accept, h2o_socket_t *socket) {
    Handshake *h = all->context ? malloc(sizeof(*h)) : NULL;

    if (!h) {
        give_up(all, socket, "it can't be spoken here");
        return;
    }
    *h = (Handshake) { .all = all, .accept = accept };
    gettimeofday(&h->connected_at, NULL);
    socket->data = h;
    h2o_socket_ssl_handshake(socket, all->context, NULL, on_complete);
}
