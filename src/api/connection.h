/* Open HTTP connections, and which of them a service that wants to end still owes something.
 *
 * A connection is freed when libh2o closes its socket, never by us. */
#pragma once

#include "api/intake.h"
#include "api/way.h"
#include "basic/cleanup.h"
#include "model/settings.h"

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Connection Connection;

#define CONNECTION_CHAINS 1024

typedef struct Connections {
    Connection *first, *chains[CONNECTION_CHAINS]; /* all; those of one site are in one chain */
    unsigned n, n_unix; /* all; over api.sock */
    Intakes intakes;
} Connections;

#define CONNECTIONS_UNIX_MAX 1024 /* of api.sock, whose peers no setting limits */

/* May this client have one more? 0, 503 (there are TEMPOFTP_MAX_CONNECTIONS) or 429 (TEMPOFTP_MAX_PER_ADDRESS of this address, which is no proxy of ours). */
int connections_refuse(Connections *all, h2o_socket_t *socket, Way way, const Settings *settings);
/* A socket that was just accepted; of WAY_HTTPS: connection_ready() follows. -ENOMEM: the caller closes it. */
int connection_new(Connections *all, h2o_socket_t *socket, Way way) _must_use_;
/* Its TLS handshake is done. False: what came with the end of it is refused, and the socket not the caller's any more. */
bool connection_ready(h2o_socket_t *socket);
Connection *connection_of(const h2o_req_t *req);
/* A request has come over it; its answer is written, or its client gone. */
void connection_asked(Connection *c, const h2o_req_t *req);
void connection_answered(Connection *c);
/* The answer closes it before all of the request was read. */
void connection_linger(Connection *c);
/* Once a second: ends those that let us wait (intake.h). */
void connections_check(Connections *all, h2o_context_t *context);
/* No more are accepted since `closed_ms` (monotonic): is there one whose client has begun to ask, or does not know yet that it must not? */
bool connections_owe(const Connections *all, uint64_t closed_ms);
