/* TLS for a program that has none: nobody who runs it is given a TlsServer, so nothing here is ever called with one. */
#include "ftpd/tls.h"

#include <errno.h>

int tls_server_set_ticket_key(TlsServer *s, const uint8_t key[static TLS_TICKET_KEY_SIZE]) {
    return -EOPNOTSUPP;
}

int tls_link_new(TlsServer *s, TlsUse use, bool tickets, size_t chunk, const TlsTransport *t, TlsLink **ret) {
    return -EOPNOTSUPP;
}

TlsLink *tls_link_free(TlsLink *l) {
    return NULL;
}

int tls_link_handshake(TlsLink *l) {
    return -EOPNOTSUPP;
}

ssize_t tls_link_receive(TlsLink *l, void *data, size_t size) {
    return -EOPNOTSUPP;
}

int tls_link_send(TlsLink *l, const void *data, size_t size, bool more) {
    return -EOPNOTSUPP;
}

int tls_link_finish(TlsLink *l) {
    return -EOPNOTSUPP;
}
