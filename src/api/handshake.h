/* TLS on accepted sockets: the handshake, and HTTP/2 or HTTP/1.1 by ALPN (RFC 7301). Who does not finish it is ended by the clock in intake.h.
 *
 * libh2o's own h2o_accept() does as much, but tells nobody how it went. */
#pragma once

#include "api/connection.h"

#include <h2o.h>

typedef struct Handshakes {
    SSL_CTX *context; /* NULL: whoever comes is let go at once */
    uint64_t failed;  /* no TLS, none that both speak, or not in time */
} Handshakes;

/* `context` is the caller's and outlives it. */
void handshakes_init(Handshakes *all, SSL_CTX *context);
/* New connections are to be short ones from now on: HTTP/1.1 is preferred, which ends with its answer. */
void handshakes_drain(Handshakes *all);
/* Takes a socket that connection_new() knows; `accept` outlives the handshake. */
void handshake_begin(Handshakes *all, h2o_accept_ctx_t *accept, h2o_socket_t *socket);
