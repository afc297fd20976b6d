/* HTTP/1.1 and HTTP/2 by libh2o, in plain and over TLS, on sockets handed over by systemd or opened by --listen; drives the loop for sd-event too.
 *
 * Source: libh2o 2.2.5, h2o.h. */
#pragma once

#include "api/manager.h"
#include "api/way.h"
#include "crypto/tls_context.h"

int server_new(Manager *m, Server **ret) _must_use_;
Server *server_free(Server *s);
/* For WAY_HTTPS; stays the caller's and outlives the server. Without it whoever comes that way is let go. */
void server_use_certificate(Server *s, SSL_CTX *context);
/* Takes a listening socket (owns the fd from then on, also on error). */
int server_add_listener(Server *s, int fd, Way way) _must_use_;
/* One turn: everything that sd-event has, then what the sockets have; waits at most `wait_ms`. */
int server_run(Server *s, int wait_ms) _must_use_;
unsigned server_connections(const Server *s); /* open ones */
/* A request is being answered? */
bool server_is_busy(const Server *s);
/* No connection open? */
bool server_is_idle(const Server *s);
/* How many TLS handshakes have come to nothing: failed, or not ended in time. */
uint64_t server_failed_handshakes(const Server *s);
/* Accepts no more; open connections are asked to end (HTTP/2 GOAWAY, no keep-alive). */
void server_close(Server *s);
/* After that: every request has its answer, and nobody is about to ask? (Connections may still be open.) */
bool server_is_drained(const Server *s);
