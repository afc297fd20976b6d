/* Data connections under TLS: the same bytes through a TlsLink, whose transport is data.c's own sending and receiving, timer and stall limit included.
 *
 * Files are read in pieces that stay in the processor's cache, and several records go out with one call. */
#include "ftpd/data_tls.h"

#include "basic/fds.h"

#include <errno.h>

#define PIECE (128U << 10)
#define CHUNK (1U << 20) /* bytes a send(): the fewer there are, the less often the client is woken up; 1 MiB costs 5 % less than 256 KiB */

static int transport_send(void *userdata, const void *data, size_t size) {
    return data_send_plain(userdata, data, size);
}

static ssize_t transport_receive(void *userdata, void *data, size_t size) {
    return data_receive_plain(userdata, data, size, 0);
}

int data_tls_begin(DataChannel *d, TlsServer *server, TlsUse use, bool tickets) {
    const TlsTransport transport = { .send = transport_send, .receive = transport_receive, .userdata = d };

    int r = tls_link_new(server, use, tickets, CHUNK, &transport, &d->tls);
    if (r >= 0)
        r = tls_link_handshake(d->tls);
    d->sent = 0; /* of the file: nothing */
    return r;
}

/* `sent` counts the client's bytes, not TLS's. */
static int send_counted(DataChannel *d, const void *data, size_t size, bool more) {
    uint64_t before = d->sent;

    int r = tls_link_send(d->tls, data, size, more);
    d->sent = r < 0 ? before : before + size;
    return r < 0 ? r : data_look(d);
}

int data_tls_send(DataChannel *d, const void *data, size_t size) {
    return send_counted(d, data, size, false);
}

int data_tls_send_file(DataChannel *d, int file_fd, uint64_t offset, uint64_t end) {
    char piece[PIECE];

    while (offset < end) {
        size_t size = end - offset < sizeof(piece) ? (size_t) (end - offset) : sizeof(piece);
        ssize_t n = read_at(file_fd, piece, size, offset);
        if (n <= 0)
            return n == 0 ? -ENODATA : (int) n;
        offset += (uint64_t) n;
        int r = send_counted(d, piece, (size_t) n, offset < end);
        if (r < 0)
            return r;
    }
    return 0;
}

ssize_t data_tls_receive(DataChannel *d, void *data, size_t size) {
    uint64_t before = d->sent;

    ssize_t n = tls_link_receive(d->tls, data, size);
    d->sent = before + (n > 0 ? (uint64_t) n : 0);
    return n;
}

void data_tls_end(DataChannel *d, bool cut) {
    uint64_t sent = d->sent;

    if (!cut)
        (void) !tls_link_finish(d->tls);
    d->tls = tls_link_free(d->tls);
    d->sent = sent; /* a transfer is reported after its end */
}
