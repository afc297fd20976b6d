/* TLS parameters that the FTP server and the API share, certificate and key as an operator gives them, and the proof that they can be used.
 *
 * Knows OpenSSL; nothing here knows sockets, files, clocks, or what is spoken over TLS. */
#include "crypto/tls_context.h"

#include "basic/strings.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <time.h>

/* Tickets are good for as long as a control connection of FTP usually lasts; RFC 8446 allows no more than a week. Their key is never written down. */
#define TICKET_SECONDS (7L * 24 * 3600)

SSL_CTX *tls_context_new(const char *sessions) {
    /* No configuration file: what is spoken stands here, and a stranger's file would be read by programs that anybody starts. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return NULL;
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
        SSL_CTX_set_session_id_context(c, (const unsigned char *) sessions, (unsigned) strlen(sessions)) == 1)
        return c;
    SSL_CTX_free(c);
    return NULL;
}

SSL_CTX *tls_context_free(SSL_CTX *c) {
    SSL_CTX_free(c);
    return NULL;
}

/* ---- certificate and key ---- */

static int no_passphrase(char *text, int size, int writing, void *userdata) {
    return -1; /* nobody is there to type it, and OpenSSL must not ask the terminal */
}

static bool use_certificates(SSL_CTX *c, BIO *bio) {
    X509 *x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    bool good = x && SSL_CTX_use_certificate(c, x) == 1;

    X509_free(x);
    while (good && (x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
        if (SSL_CTX_add0_chain_cert(c, x) != 1) {
            X509_free(x);
            good = false;
        }
    return good;
}

/* A file that is still being written, or whose writer was killed, ends somewhere else. */
static bool pem_is_whole(const char *pem) {
    size_t size = strlen(pem);

    while (size > 0 && strchr(" \t\r\n", pem[size - 1]))
        size--;
    const char *line = pem + size;
    while (line > pem && line[-1] != '\n')
        line--;
    return has_prefix(line, "-----END ") && size >= 5 && memcmp(pem + size - 5, "-----", 5) == 0;
}

const char *tls_context_use_certificates(SSL_CTX *c, const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    bool good = bio && use_certificates(c, bio);

    /* What ends the list is that no further one begins; anything else is a certificate that can't be read. */
    bool whole = pem_is_whole(pem) && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    BIO_free(bio);
    ERR_clear_error();
    if (!good)
        return "the certificate file holds no certificate in PEM form that this OpenSSL accepts";
    return whole ? NULL : "the certificate file is cut off or damaged after its first certificate";
}

EVP_PKEY *tls_key_parse(const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    ERR_clear_error();
    return key;
}

bool tls_key_is_supported(const EVP_PKEY *key) {
    int type = EVP_PKEY_get_base_id(key);
    return type == EVP_PKEY_EC || (type == EVP_PKEY_RSA && EVP_PKEY_get_size(key) <= TLS_SIGN_MAX);
}

const char *tls_key_fault(const EVP_PKEY *key, const X509 *certificate) {
    if (!key)
        return "the key file holds no private key in PEM form (one without a passphrase)";
    if (!tls_key_is_supported(key))
        return "the key must be ECDSA, or RSA of at most 4096 bits";
    if (certificate && X509_check_private_key(certificate, key) != 1) {
        ERR_clear_error();
        return "key and certificate do not belong together";
    }
    return NULL;
}

const char *tls_context_use_key(SSL_CTX *c, EVP_PKEY *key) {
    bool good = SSL_CTX_use_PrivateKey(c, key) == 1;

    ERR_clear_error();
    return good ? NULL : "key and certificate do not belong together";
}

int tls_context_with_pair(const char *sessions, const char *certificate, const char *key, SSL_CTX **ret, const char **ret_fault) {
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    _cleanup_(tls_context_freep) SSL_CTX *c = tls_context_new(sessions);

    if (!c)
        return -ENOMEM;
    EVP_PKEY *pkey = tls_key_parse(key);
    const char *fault = tls_context_use_certificates(c, certificate);
    if (!fault)
        fault = tls_key_fault(pkey, SSL_CTX_get0_certificate(c));
    if (!fault)
        fault = tls_context_use_key(c, pkey);
    EVP_PKEY_free(pkey);
    for (size_t i = 0; i < ELEMENTS(versions) && !fault; i++)
        if (tls_context_rehearse(c, versions[i], NULL, NULL) < 0)
            fault = "OpenSSL cannot use them with TLS 1.2 and 1.3";
    if (fault) {
        *ret_fault = fault;
        return -EINVAL;
    }
    *ret = TAKE_PTR(c);
    return 0;
}

/* ---- validity ---- */

static int time_of(const ASN1_TIME *from, int64_t *ret) {
    struct tm tm;

    if (!from || ASN1_TIME_to_tm(from, &tm) != 1)
        return -EINVAL;
    *ret = timegm(&tm);
    return 0;
}

int tls_context_validity(const SSL_CTX *c, int64_t *ret_from, int64_t *ret_until) {
    const X509 *x = SSL_CTX_get0_certificate(c);

    if (!x || time_of(X509_get0_notBefore(x), ret_from) < 0)
        return -EINVAL;
    return time_of(X509_get0_notAfter(x), ret_until);
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

int tls_context_rehearse(SSL_CTX *c, int version, SSL_SESSION *resumed, SSL_SESSION **ret) {
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    int r = -ENOMEM;

    if (client && SSL_CTX_set_max_proto_version(client, version) == 1)
        r = rehearse(c, client, resumed, ret);
    SSL_CTX_free(client);
    ERR_clear_error();
    return r;
}
