/* TLS, server side: what is negotiated, and one connection's bytes in and out. OpenSSL lives behind this door (tls.c, tls_key.c).
 *
 * Explicit FTPS as in RFC 4217: TLS 1.2 and later, forward secrecy, AEAD ciphers only. Resumption by tickets alone (RFC 5077, RFC 8446 section 2.2): their
 * key is made for one control connection, so that a data connection that resumes is the same client's. No files, no sockets of its own here: bytes go
 * through a TlsTransport. */
#pragma once

#include "basic/cleanup.h"
#include "crypto/tls_context.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TLS_TICKET_KEY_SIZE 80

/* Certificate and parameters, made once, before any fork: children share the pages. */
typedef struct TlsServer TlsServer;

/* Has the private key applied by whoever holds it: ECDSA over a digest (padding 0), RSA with OpenSSL's padding number. Bytes in ret, or negative errno. */
typedef int (*TlsSigner)(void *userdata, int padding, const void *data, size_t size, uint8_t ret[static TLS_SIGN_MAX]);

/* PEM texts. key NULL: a signer holds it. -EINVAL: *ret_error says what is wrong with them. */
int tls_server_new(const char *certificate, const char *key, TlsServer **ret, char **ret_error) _must_use_;
TlsServer *tls_server_free(TlsServer *s);
DEFINE_CLEANUP(TlsServer, tls_server_free)
void tls_server_set_signer(TlsServer *s, TlsSigner signer, void *userdata);
/* For a child: whose tickets are good. */
int tls_server_set_ticket_key(TlsServer *s, const uint8_t key[static TLS_TICKET_KEY_SIZE]) _must_use_;
/* A handshake with itself: everything that OpenSSL makes on first use is made before the first fork, and key and certificate have proved to fit. */
int tls_server_rehearse(TlsServer *s) _must_use_;

/* The private key by itself, in the process that keeps it. -EINVAL: *ret_error. */
typedef struct TlsKey TlsKey;
int tls_key_new(const char *key, const char *certificate, TlsKey **ret, const char **ret_error) _must_use_;
TlsKey *tls_key_free(TlsKey *k);
DEFINE_CLEANUP(TlsKey, tls_key_free)
/* What a TlsSigner does. */
int tls_key_sign(TlsKey *k, int padding, const void *data, size_t size, uint8_t ret[static TLS_SIGN_MAX]) _must_use_;

typedef struct TlsTransport {
    /* All of it, however long that takes; 0 or negative errno. */
    int (*send)(void *userdata, const void *data, size_t size);
    /* Bytes, 0: the end, negative errno; -EAGAIN: none now, the call above returns it. */
    ssize_t (*receive)(void *userdata, void *data, size_t size);
    void *userdata;
} TlsTransport;

typedef enum TlsUse {
    TLS_CONTROL,      /* full handshakes */
    TLS_DATA_RESUMED, /* resumption only: no certificate, no key needed */
    TLS_DATA_ANY,
} TlsUse;

/* One connection. `chunk`: bytes that are gathered before the transport is asked to send. `tickets`: the client is given new ones. */
typedef struct TlsLink TlsLink;
int tls_link_new(TlsServer *s, TlsUse use, bool tickets, size_t chunk, const TlsTransport *t, TlsLink **ret) _must_use_;
TlsLink *tls_link_free(TlsLink *l);
DEFINE_CLEANUP(TlsLink, tls_link_free)
/* -EPROTO: no TLS that we speak, or nothing to resume where that is asked for. -EAGAIN, or the transport's error. */
int tls_link_handshake(TlsLink *l) _must_use_;
/* Bytes, 0: the other side said that this is the end. -ECONNRESET: it ended without saying so. -EAGAIN, -EPROTO, or the transport's error. */
ssize_t tls_link_receive(TlsLink *l, void *data, size_t size) _must_use_;
/* A new ticket goes out before the next bytes that are sent; nothing where TLS 1.2 is spoken, whose tickets are used again and again. */
void tls_link_renew(TlsLink *l);
/* `more`: what is less than a chunk may wait for the next call. */
int tls_link_send(TlsLink *l, const void *data, size_t size, bool more) _must_use_;
/* Says that this is the end (close_notify). */
int tls_link_finish(TlsLink *l) _must_use_;
