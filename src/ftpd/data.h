/* The data connection: passive listening, accepting the control peer only, sending, receiving.
 *
 * While a call waits, `tick` runs about every DATA_TICK_MS: it looks at control and wire and answers 0 (go on) or a negative errno, which the call
 * returns. Without progress for `stall_ms`: -ETIMEDOUT. RFC 959 section 3, RFC 2428 (EPSV). */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/pace.h"
#include "ftpd/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define DATA_TICK_MS 200
#define DATA_ACCEPT_MS 30000
#define DATA_PORT_USES 32
#define DATA_STALL_MS 60000 /* unless told otherwise */
#define DATA_SMALL_MAX 8192 /* bytes that a new connection takes at once, whatever the client does */

typedef struct DataChannel {
    int listen_fd; /* -EBADF: none */
    bool announced; /* the client was told its port, for one connection */
    uint16_t port;
    unsigned uses; /* how often it was announced */
    int fd;        /* -EBADF: not connected */
    bool blocking; /* the interval timer runs */
    uint64_t sent; /* of this transfer, either way; kept up to date for tick */
    uint64_t looked_ms; /* the last data_look() */
    uint64_t stall_ms;
    Pace pace;     /* bytes of all transfers, either way */
    bool paced;    /* the kernel knows the rate of this connection */
    uint16_t starts[16]; /* random numbers for ports to come; n_starts are left */
    unsigned n_starts;
    TlsLink *tls;       /* NULL: in clear; data_tls.h */
    int (*tick)(void *userdata);
    void *userdata;
} DataChannel;

#define DATA_CHANNEL_INIT ((DataChannel) { .listen_fd = -EBADF, .fd = -EBADF, .stall_ms = DATA_STALL_MS })

/* Listens on the address of `local`, on a random free port of [min, max], or on where it listens still. -EADDRINUSE: none is free. */
int data_listen(DataChannel *d, const struct sockaddr *local, uint16_t min, uint16_t max, uint16_t *ret_port) _must_use_;
/* How long to wait for a connection, from either side. */
static inline uint64_t data_patience_ms(const DataChannel *d) {
    return d->stall_ms < DATA_ACCEPT_MS ? d->stall_ms : DATA_ACCEPT_MS;
}
/* The control peer's connection; others are closed at once and do not count. Then nobody listens any more, unless the port is to be kept, for the next
 * data_listen() (which takes another one all the same when anybody has come meanwhile); never after DATA_PORT_USES, or when others have come. -ENOTCONN: no
 * port was announced. */
int data_accept(DataChannel *d, const struct sockaddr *peer, bool keep_port) _must_use_;
/* Is there a port that waits for the next data_listen()? */
bool data_keeps_port(const DataChannel *d);
void data_give_up_port(DataChannel *d);
/* A connection that somebody else made, non-blocking; takes the fd. */
void data_adopt(DataChannel *d, int fd);
/* Bytes [offset, end) of a file. -ENODATA: the file ended earlier. Up to DATA_SMALL_MAX may leave only with the connection's end, in data_close(). */
int data_send_file(DataChannel *d, int file_fd, uint64_t offset, uint64_t end) _must_use_;
int data_send(DataChannel *d, const void *data, size_t size) _must_use_;
/* What arrives, up to size bytes: how many, 0 at the end, or negative. */
ssize_t data_receive(DataChannel *d, void *data, size_t size) _must_use_;
/* The tick, when it is due: for whoever works between two calls here. */
int data_look(DataChannel *d) _must_use_;
/* From now on, also for the transfer under way: bytes/s, 0: no limit. */
void data_set_rate(DataChannel *d, uint64_t rate);
/* Ends the transfer: in order, or with a reset, so that the client sees that it was cut. */
void data_close(DataChannel *d, bool cut);
/* The port a PASV or EPSV opened is given up too. */
void data_reset(DataChannel *d);

/* For data_tls.c: the bytes as they are, and a tick when one is due. */
int data_send_plain(DataChannel *d, const void *data, size_t size) _must_use_;
ssize_t data_receive_plain(DataChannel *d, void *data, size_t size, int flags) _must_use_;
