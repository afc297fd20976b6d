/* Open HTTP connections, and which of them a service that wants to end still owes something.
 *
 * A connection is freed when libh2o closes its socket, never by us. */
#pragma once

#include "basic/cleanup.h"

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Connection Connection;

typedef struct Connections {
    Connection *first;
    unsigned n;
    void (*closed)(void *userdata); /* after each end */
    void *userdata;
} Connections;

/* A socket that was just accepted. -ENOMEM: the caller closes it. */
int connection_new(Connections *all, h2o_socket_t *socket) _must_use_;
/* A request has come over it. */
void connection_asked(h2o_req_t *req);
/* No more are accepted since `closed_ms` (monotonic): is there one whose client has begun to ask, or does not know yet that it must not? */
bool connections_owe(const Connections *all, uint64_t closed_ms);
