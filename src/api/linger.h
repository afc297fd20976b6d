/* Connections that were answered while their client may still be sending (RFC 9112 section 9.6): closed at once, the kernel would answer what comes with a
 * reset, and the client might never read why. What still comes is thrown away, for a short while and up to a size. */
#pragma once

#include "basic/cleanup.h"

#include <h2o.h>
#include <stdint.h>

#define LINGER_MAX 256               /* at the same time; more are closed at once */
#define LINGER_MS 2000
#define LINGER_BYTES_MAX (1024 * 1024)

typedef struct Linger Linger;
typedef struct Lingers {
    Linger *first;
    unsigned n;
} Lingers;

/* Takes a socket of no one else's (nothing is being written to it): ends our half, and closes it when the client has ended, or later. */
void linger_begin(Lingers *all, h2o_socket_t *socket);
/* The same for an fd. */
void linger_begin_fd(Lingers *all, h2o_loop_t *loop, int fd);
/* Once a second: closes those whose time is over. */
void lingers_check(Lingers *all, uint64_t now_ms);
void lingers_done(Lingers *all);
