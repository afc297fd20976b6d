/* Between tls.c and tls_key.c: OpenSSL's types. Everybody else includes ftpd/tls.h. */
#pragma once

#include "ftpd/tls.h"

#include <openssl/types.h>

/* A key that is asked to sign and never seen; lies in what owns it, because OpenSSL's objects point to it. */
typedef struct TlsRemoteKey {
    TlsSigner signer;
    void *userdata;
    RSA_METHOD *rsa_method;
    struct ec_key_method_st *ec_method;
} TlsRemoteKey;

/* *ret: a private key with this public half, to be freed before tls_remote_key_done(). -EINVAL: neither ECDSA nor RSA. */
int tls_remote_key_init(TlsRemoteKey *owner, const EVP_PKEY *public, EVP_PKEY **ret) _must_use_;
void tls_remote_key_done(TlsRemoteKey *owner);
