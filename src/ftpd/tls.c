/* TLS connections over a transport of the caller's, and the parameters that they share. OpenSSL stays in here.
 *
 * A custom BIO gathers records, so that several go out in one call. Nothing here knows commands, processes or files. */
#include "ftpd/tls.h"

#include "basic/strings.h"
#include "ftpd/tls_key.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

/* Tickets are good for as long as a control connection usually lasts; RFC 8446 allows no more than a week. */
#define TICKET_SECONDS (7L * 24 * 3600)
#define READ_AHEAD (64 << 10)

struct TlsServer {
    SSL_CTX *full;    /* with the certificate */
    SSL_CTX *resumed; /* without: whoever has no good ticket is refused */
    TlsRemoteKey remote;
    BIO_METHOD *bio;
};

struct TlsLink {
    SSL *ssl;
    TlsTransport transport;
    int error; /* the transport's, until the call that met it returns */
    bool ended; /* the transport has no more */
    bool broken;
    size_t held, chunk;
    char out[]; /* chunk bytes */
};

/* ---- the transport ---- */

static int flush_out(TlsLink *l) {
    if (l->held == 0)
        return 0;
    int r = l->transport.send(l->transport.userdata, l->out, l->held);
    l->held = 0;
    if (r < 0)
        l->error = r;
    return r;
}

static int bio_write(BIO *bio, const char *data, size_t size, size_t *ret) {
    TlsLink *l = BIO_get_data(bio);
    int r = 0;

    BIO_clear_retry_flags(bio);
    if (size > l->chunk - l->held)
        r = flush_out(l);
    if (r >= 0 && size <= l->chunk - l->held) {
        memcpy(l->out + l->held, data, size);
        l->held += size;
    } else if (r >= 0)
        r = l->error = l->transport.send(l->transport.userdata, data, size);
    *ret = size;
    return r >= 0;
}

static int bio_read(BIO *bio, char *data, size_t size, size_t *ret) {
    TlsLink *l = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    ssize_t n = l->transport.receive(l->transport.userdata, data, size);
    if (n > 0) {
        *ret = (size_t) n;
        return 1;
    }
    if (n == -EAGAIN)
        BIO_set_retry_read(bio);
    else if (n == 0)
        l->ended = true;
    else
        l->error = (int) n;
    return 0;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    TlsLink *l = BIO_get_data(bio);

    if (command == BIO_CTRL_FLUSH)
        return flush_out(l) >= 0;
    return command == BIO_CTRL_EOF && l->ended;
}

static BIO_METHOD *bio_method_new(void) {
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transport");
    if (!m)
        return NULL;
    BIO_meth_set_write_ex(m, bio_write);
    BIO_meth_set_read_ex(m, bio_read);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
}

/* ---- what connections share ---- */

static SSL_CTX *context_new(void) {
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    if (!c)
        return NULL;
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF); /* tickets only: nothing is kept here */
    SSL_CTX_set_timeout(c, TICKET_SECONDS);
    /* AES first: with AES-NI it is the cheapest; a client without it puts ChaCha20 first, and is followed. */
    if (SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
        SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL") == 1 && SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384") == 1 &&
        SSL_CTX_set_session_id_context(c, (const unsigned char *) "ftp", 3) == 1)
        return c;
    SSL_CTX_free(c);
    return NULL;
}

/* OpenSSL offers TLS 1.3 only where there is a certificate, or somebody who might know a pre-shared key: here is one, who knows none but tickets. */
static int find_no_key(SSL *ssl, const unsigned char *name, size_t size, SSL_SESSION **ret) {
    *ret = NULL;
    return 1;
}

/* The first certificate is the server's, the rest is its chain. */
static int use_certificates(SSL_CTX *c, const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool good = x && SSL_CTX_use_certificate(c, x) == 1;

    X509_free(x);
    while (good && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        if (SSL_CTX_add0_chain_cert(c, x) != 1) {
            X509_free(x);
            good = false;
        }
    BIO_free(bio);
    return good ? 0 : -EINVAL;
}

static const char *use_key(TlsServer *s, const char *pem) {
    X509 *x = SSL_CTX_get0_certificate(s->full);
    EVP_PKEY *key = NULL;
    const char *fault = NULL;

    if (pem) {
        key = tls_key_parse(pem);
        fault = tls_key_fault(key, x);
    } else if (tls_remote_key_init(&s->remote, X509_get0_pubkey(x), &key) < 0)
        fault = "the certificate's key must be ECDSA, or RSA of at most 4096 bits";
    if (!fault && SSL_CTX_use_PrivateKey(s->full, key) != 1)
        fault = "key and certificate do not belong together";
    EVP_PKEY_free(key);
    return fault;
}

int tls_server_new(const char *certificate, const char *key, TlsServer **ret, char **ret_error) {
    const char *fault = NULL;

    /* No configuration file: what is spoken stands here, and a stranger's file would be read in stand-alone mode. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return -EIO;
    _cleanup_(tls_server_freep) TlsServer *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->full = context_new();
    s->resumed = context_new();
    s->bio = bio_method_new();
    if (!s->full || !s->resumed || !s->bio)
        return -ENOMEM;
    SSL_CTX_set_psk_find_session_callback(s->resumed, find_no_key);
    if (use_certificates(s->full, certificate) < 0)
        fault = "the certificate file holds no certificate in PEM form that this OpenSSL accepts";
    else
        fault = use_key(s, key);
    ERR_clear_error();
    if (fault) {
        *ret_error = strdup(fault);
        return -EINVAL;
    }
    *ret = TAKE_PTR(s);
    return 0;
}

TlsServer *tls_server_free(TlsServer *s) {
    if (!s)
        return NULL;
    SSL_CTX_free(s->full);
    SSL_CTX_free(s->resumed);
    BIO_meth_free(s->bio);
    tls_remote_key_done(&s->remote);
    free(s);
    return NULL;
}

void tls_server_set_signer(TlsServer *s, TlsSigner signer, void *userdata) {
    s->remote.signer = signer;
    s->remote.userdata = userdata;
}

int tls_server_set_ticket_key(TlsServer *s, const uint8_t key[static TLS_TICKET_KEY_SIZE]) {
    uint8_t copy[TLS_TICKET_KEY_SIZE]; /* OpenSSL's parameter is not const */

    memcpy(copy, key, sizeof(copy));
    bool good = SSL_CTX_set_tlsext_ticket_keys(s->full, copy, sizeof(copy)) == 1 &&
                SSL_CTX_set_tlsext_ticket_keys(s->resumed, copy, sizeof(copy)) == 1;
    wipe(copy, sizeof(copy));
    return good ? 0 : -EINVAL;
}

/* ---- one connection ---- */

int tls_link_new(TlsServer *s, TlsUse use, bool tickets, size_t chunk, const TlsTransport *t, TlsLink **ret) {
    _cleanup_(tls_link_freep) TlsLink *l = malloc(sizeof(*l) + chunk); /* no calloc(): memory that holds nothing is not touched */
    if (!l)
        return -ENOMEM;
    *l = (TlsLink) { .transport = *t, .chunk = chunk };
    l->ssl = SSL_new(use == TLS_DATA_RESUMED ? s->resumed : s->full);
    BIO *bio = l->ssl ? BIO_new(s->bio) : NULL;
    if (!bio)
        return -ENOMEM;
    BIO_set_data(bio, l);
    BIO_set_init(bio, 1);
    SSL_set_bio(l->ssl, bio, bio);
    SSL_set_accept_state(l->ssl);
    if (use != TLS_CONTROL) {
        SSL_set_read_ahead(l->ssl, 1);
        SSL_set_default_read_buffer_len(l->ssl, READ_AHEAD);
    }
    if (SSL_set_num_tickets(l->ssl, tickets ? 1 : 0) != 1) /* one for the next data connection; tls_link_renew() for those after it */
        return -EINVAL;
    *ret = TAKE_PTR(l);
    return 0;
}

TlsLink *tls_link_free(TlsLink *l) {
    if (!l)
        return NULL;
    SSL_free(l->ssl);
    wipe(l->out, l->held);
    free(l);
    return NULL;
}

/* Why a call of OpenSSL's did not succeed. */
static int fault_of(TlsLink *l, int result) {
    int error = SSL_get_error(l->ssl, result), transport = l->error;

    ERR_clear_error();
    l->error = 0;
    if (error == SSL_ERROR_WANT_READ)
        return -EAGAIN;
    l->broken = true; /* nothing more may be said over it */
    if (transport < 0)
        return transport;
    return l->ended ? -ECONNRESET : -EPROTO;
}

int tls_link_handshake(TlsLink *l) {
    int r = SSL_do_handshake(l->ssl);
    if (r == 1)
        return 0;
    r = fault_of(l, r);
    if (r != -EAGAIN)
        (void) !flush_out(l); /* the alert that says why */
    return r;
}

void tls_link_renew(TlsLink *l) {
    if (SSL_version(l->ssl) >= TLS1_3_VERSION && SSL_new_session_ticket(l->ssl) != 1)
        ERR_clear_error(); /* the last one may still do */
}

ssize_t tls_link_receive(TlsLink *l, void *data, size_t size) {
    size_t n;

    int r = SSL_read_ex(l->ssl, data, size, &n);
    if (r == 1)
        return (ssize_t) n;
    if (SSL_get_error(l->ssl, r) == SSL_ERROR_ZERO_RETURN)
        return 0;
    return fault_of(l, r);
}

int tls_link_send(TlsLink *l, const void *data, size_t size, bool more) {
    size_t n;

    if (size > 0) {
        int r = SSL_write_ex(l->ssl, data, size, &n);
        if (r != 1)
            return fault_of(l, r);
    }
    return more ? 0 : flush_out(l);
}

int tls_link_finish(TlsLink *l) {
    if (l->broken)
        return -EPROTO;
    int r = SSL_shutdown(l->ssl); /* 0: ours is out, theirs not in */
    if (r < 0)
        return fault_of(l, r);
    return flush_out(l);
}

/* ---- rehearsal ---- */

/* A client in this process; nothing it sees is secret. */
static int converse(SSL *client, SSL *server, SSL_SESSION **session) {
    char byte;
    int c = 0, s = 0;

    for (unsigned i = 0; i < 8 && (c != 1 || s != 1); i++) {
        if (c != 1)
            c = SSL_do_handshake(client);
        if (s != 1)
            s = SSL_do_handshake(server);
    }
    if (c != 1 || s != 1 || SSL_write(server, "x", 1) != 1 || SSL_read(client, &byte, 1) != 1)
        return -EPROTO;
    (void) SSL_shutdown(server);
    (void) SSL_shutdown(client);
    if (session)
        *session = SSL_get1_session(client);
    return 0;
}

static int rehearse(SSL_CTX *server_context, SSL_CTX *client_context, SSL_SESSION *resumed, SSL_SESSION **ret) {
    SSL *server = SSL_new(server_context), *client = SSL_new(client_context);
    BIO *a = NULL, *b = NULL;
    int r = -ENOMEM;

    if (server && client && BIO_new_bio_pair(&a, 0, &b, 0) == 1) {
        SSL_set_bio(server, a, a);
        SSL_set_bio(client, b, b);
        SSL_set_accept_state(server);
        SSL_set_connect_state(client);
        if (resumed)
            SSL_set_session(client, resumed);
        r = converse(client, server, ret);
    }
    SSL_free(server);
    SSL_free(client);
    return r;
}

int tls_server_rehearse(TlsServer *s) {
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    int r = 0;

    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    if (!client)
        return -ENOMEM;
    uint8_t key[TLS_TICKET_KEY_SIZE] = { 1 }; /* children get keys of their own */
    r = tls_server_set_ticket_key(s, key);
    for (size_t i = 0; i < ELEMENTS(versions) && r >= 0; i++) {
        SSL_SESSION *session = NULL;
        SSL_CTX_set_max_proto_version(client, versions[i]);
        r = rehearse(s->full, client, NULL, &session);
        if (r >= 0)
            r = rehearse(s->resumed, client, session, NULL);
        SSL_SESSION_free(session);
    }
    SSL_CTX_free(client);
    ERR_clear_error();
    return r;
}
