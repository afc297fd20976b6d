/* What every TLS server of ours speaks, and the operator's two PEM files in OpenSSL's hands: TLS 1.2 and later, forward secrecy, AEAD ciphers only
 * (RFC 9325), tickets instead of a session cache.
 *
 * Faults are sentences for an operator, static. The key's text stays the caller's to wipe; OpenSSL wipes its own copy when it is freed. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

/* OpenSSL's, as openssl/types.h has them: who includes this needs none of its headers. */
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_session_st SSL_SESSION;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct x509_st X509;

#define TLS_SIGN_MAX 512       /* bytes: RSA of 4096 bits */
#define TLS_PEM_MAX (64 << 10) /* of a certificate file with its chain, or a key file */

/* Without a certificate. `sessions`: tickets are good where this name is the same. NULL: no memory. */
SSL_CTX *tls_context_new(const char *sessions) _must_use_;
SSL_CTX *tls_context_free(SSL_CTX *c);
DEFINE_CLEANUP(SSL_CTX, tls_context_free)

/* The first certificate is the server's, the rest is its chain. NULL, or what is wrong. */
const char *tls_context_use_certificates(SSL_CTX *c, const char *pem) _must_use_;
const char *tls_context_use_key(SSL_CTX *c, EVP_PKEY *key) _must_use_;

/* NULL: no private key there. */
EVP_PKEY *tls_key_parse(const char *pem) _must_use_;
/* ECDSA, or RSA of at most TLS_SIGN_MAX bytes; `key` may be a public one. */
bool tls_key_is_supported(const EVP_PKEY *key);
/* What is wrong with it; NULL: nothing. */
const char *tls_key_fault(const EVP_PKEY *key, const X509 *certificate);

/* A handshake with itself in this version (TLS1_2_VERSION…) and one byte: key and certificate can be used. `resumed` and `ret` may be NULL: the session to
 * resume, the session made. -EPROTO, -ENOMEM. */
int tls_context_rehearse(SSL_CTX *c, int version, SSL_SESSION *resumed, SSL_SESSION **ret) _must_use_;

/* All of the above for a server that keeps its key itself. -EINVAL: *ret_fault. */
int tls_context_with_pair(const char *sessions, const char *certificate, const char *key, SSL_CTX **ret, const char **ret_fault) _must_use_;
/* From when until when the server's certificate is good, UTC seconds. -EINVAL: it doesn't say. */
int tls_context_validity(const SSL_CTX *c, int64_t *ret_from, int64_t *ret_until) _must_use_;
