/* A list of sockets that are read and not heard. */
#define H2O_USE_LIBUV 0
#include "api/linger.h"

#include "basic/time.h"

#include <sys/socket.h>

struct Linger {
    Lingers *all;
    h2o_socket_t *socket;
    uint64_t since_ms;
    size_t bytes;
    Linger *next, **at;
};

static void linger_end(Linger *l) {
    *l->at = l->next;
    if (l->next)
        l->next->at = l->at;
    l->all->n--;
    h2o_socket_close(l->socket);
    free(l);
}

static void on_read(h2o_socket_t *socket, const char *error) {
    Linger *l = socket->data;

    l->bytes += socket->input->size;
    h2o_buffer_consume(&socket->input, socket->input->size);
    if (error || l->bytes > LINGER_BYTES_MAX)
        linger_end(l);
}

void linger_begin(Lingers *all, h2o_socket_t *socket) {
    Linger *l = all->n < LINGER_MAX ? malloc(sizeof(*l)) : NULL;

    (void) shutdown(h2o_socket_get_fd(socket), SHUT_WR);
    if (!l) {
        h2o_socket_close(socket);
        return;
    }
    *l = (Linger) { .all = all, .socket = socket, .since_ms = monotonic_ms(), .next = all->first, .at = &all->first };
    if (all->first)
        all->first->at = &l->next;
    all->first = l;
    all->n++;
    socket->data = l;
    h2o_socket_read_start(socket, on_read);
}

void linger_begin_fd(Lingers *all, h2o_loop_t *loop, int fd) {
    linger_begin(all, h2o_evloop_socket_create(loop, fd, 0));
}

void lingers_check(Lingers *all, uint64_t now_ms) {
    for (Linger *l = all->first, *next; l; l = next) {
        next = l->next;
        if (now_ms - l->since_ms >= LINGER_MS)
            linger_end(l);
    }
}

void lingers_done(Lingers *all) {
    while (all->first)
        linger_end(all->first);
}
