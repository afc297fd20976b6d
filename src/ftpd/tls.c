/* TLS connections over a transport of the caller's, and the parameters that they share. OpenSSL stays in here.
 *
 * A custom BIO gathers records, so that several go out in one call. Nothing here knows commands, processes or files. */
#include "ftpd/tls.h"

#include "basic/strings.h"
#include "crypto/tls_context.h"
#include "ftpd/tls_key.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

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

/* OpenSSL offers TLS 1.3 only where there is a certificate, or somebody who might know a pre-shared key: here is one, who knows none but tickets. */
static int find_no_key(SSL *ssl, const unsigned char *name, size_t size, SSL_SESSION **ret) {
    *ret = NULL;
    return 1;
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
    if (!fault)
        fault = tls_context_use_key(s->full, key);
    EVP_PKEY_free(key);
    return fault;
}

int tls_server_new(const char *certificate, const char *key, TlsServer **ret, char **ret_error) {
    _cleanup_(tls_server_freep) TlsServer *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->full = tls_context_new("ftp");
    s->resumed = tls_context_new("ftp");
    s->bio = bio_method_new();
    if (!s->full || !s->resumed || !s->bio)
        return -ENOMEM;
    SSL_CTX_set_psk_find_session_callback(s->resumed, find_no_key);
    const char *fault = tls_context_use_certificates(s->full, certificate);
    if (!fault)
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

int tls_server_rehearse(TlsServer *s) {
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    int r = 0;

    uint8_t key[TLS_TICKET_KEY_SIZE] = { 1 }; /* children get keys of their own */
    r = tls_server_set_ticket_key(s, key);
    for (size_t i = 0; i < ELEMENTS(versions) && r >= 0; i++) {
        SSL_SESSION *session = NULL;
        r = tls_context_rehearse(s->full, versions[i], NULL, &session);
        if (r >= 0)
            r = tls_context_rehearse(s->resumed, versions[i], session, NULL);
        SSL_SESSION_free(session);
    }
    return r;
}
