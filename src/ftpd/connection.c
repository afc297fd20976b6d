/* Rows of the listener's table: where they lie, how they are found, how they are given back. What happens to a client is listener.c's business. */
#include "ftpd/connection.h"

#include "basic/strings.h"
#include "ftpd/address.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int connections_init(Connections *t) {
    void *rows = mmap(NULL, CONNECTIONS_MAX * sizeof(Connection), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (rows == MAP_FAILED)
        return -errno;
    if (madvise(rows, CONNECTIONS_MAX * sizeof(Connection), MADV_DONTFORK) < 0) {
        int r = -errno;
        munmap(rows, CONNECTIONS_MAX * sizeof(Connection));
        return r;
    }
    *t = (Connections) { .rows = rows };
    return 0;
}

void connections_done(Connections *t) {
    if (!t->rows)
        return;
    for (size_t i = 0; i < t->top; i++)
        if (t->rows[i].state != CONNECTION_FREE)
            connections_remove(t, &t->rows[i]);
    munmap(t->rows, CONNECTIONS_MAX * sizeof(Connection));
    t->rows = NULL;
}

Connection *connections_add(Connections *t) {
    if (t->n == CONNECTIONS_MAX)
        return NULL;
    size_t i = 0;
    while (t->rows[i].state != CONNECTION_FREE)
        i++;
    t->rows[i] = (Connection) {
        .state = CONNECTION_ACCEPTED, .control_fd = -EBADF, .wire_fd = -EBADF, .home_fd = -EBADF, .drop_fd = -EBADF, .barrier_fd = -EBADF, .dial_fd = -EBADF,
    };
    t->n++;
    if (i >= t->top)
        t->top = i + 1;
    return &t->rows[i];
}

void connections_remove(Connections *t, Connection *c) {
    int *fds[] = { &c->control_fd, &c->wire_fd, &c->home_fd, &c->drop_fd, &c->barrier_fd, &c->dial_fd };

    sd_event_source_disable_unref(c->wire_source);
    sd_event_source_disable_unref(c->barrier_source);
    sd_event_source_disable_unref(c->dial_source);
    for (size_t i = 0; i < ELEMENTS(fds); i++)
        cleanup_close_(fds[i]);
    if (connection_is_session(c))
        t->sessions--;
    memset(c, 0, sizeof(*c));
    t->n--;
    while (t->top > 0 && t->rows[t->top - 1].state == CONNECTION_FREE)
        t->top--;
}

size_t connections_count_site(const Connections *t, const struct in6_addr *key) {
    size_t n = 0;

    for (size_t i = 0; i < t->top; i++)
        if (t->rows[i].state != CONNECTION_FREE && address_same_site(&t->rows[i].key, key))
            n++;
    return n;
}

size_t connections_count_account(const Connections *t, const char *account) {
    size_t n = 0;

    for (size_t i = 0; i < t->top; i++)
        if (connection_is_session(&t->rows[i]) && streq(t->rows[i].account, account))
            n++;
    return n;
}

size_t connection_index(const Connections *t, const Connection *c) {
    return (size_t) (c - t->rows);
}
