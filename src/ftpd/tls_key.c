/* Private keys: the one that is here (the keeper's), and the one that is elsewhere and is only asked to sign.
 *
 * The second kind is an OpenSSL key whose public half comes from the certificate and whose private operation is a call of ours; only OpenSSL's older
 * interface has such a hook, hence the suppressed warnings. ECDSA and RSA; nothing here knows processes. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "ftpd/tls_key.h"

#include <errno.h>
#include <limits.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define OWNER_INDEX 0 /* of "application data" in OpenSSL's objects */

struct TlsKey {
    EVP_PKEY *pkey;
};

/* ---- here ---- */

/* What OpenSSL makes on first use is made now: the keeper's jail has no room for it. */
static const char *try_key(TlsKey *k) {
    uint8_t digest[32] = { 0 }, signature[TLS_SIGN_MAX];
    int padding = EVP_PKEY_get_base_id(k->pkey) == EVP_PKEY_RSA ? RSA_PKCS1_PADDING : 0;

    return tls_key_sign(k, padding, digest, sizeof(digest), signature) > 0 ? NULL : "OpenSSL cannot sign with this key";
}

int tls_key_new(const char *key, const char *certificate, TlsKey **ret, const char **ret_error) {
    BIO *bio = BIO_new_mem_buf(certificate, -1);
    X509 *x509 = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *pkey = tls_key_parse(key);
    TlsKey *k = NULL;

    BIO_free(bio);
    *ret_error = x509 ? tls_key_fault(pkey, x509) : "the certificate file holds no certificate in PEM form";
    if (!*ret_error)
        k = calloc(1, sizeof(*k));
    X509_free(x509);
    if (!k) {
        EVP_PKEY_free(pkey);
        return *ret_error ? -EINVAL : -ENOMEM;
    }
    k->pkey = pkey;
    *ret_error = try_key(k);
    if (*ret_error) {
        tls_key_free(k);
        return -EINVAL;
    }
    *ret = k;
    return 0;
}

TlsKey *tls_key_free(TlsKey *k) {
    if (k)
        EVP_PKEY_free(k->pkey);
    free(k);
    return NULL;
}

int tls_key_sign(TlsKey *k, int padding, const void *data, size_t size, uint8_t ret[static TLS_SIGN_MAX]) {
    if (size == 0 || size > TLS_SIGN_MAX)
        return -EINVAL;
    if (EVP_PKEY_get_base_id(k->pkey) == EVP_PKEY_RSA) {
        int n = RSA_private_encrypt((int) size, data, ret, (RSA *) EVP_PKEY_get0_RSA(k->pkey), padding);
        return n > 0 ? n : -EINVAL;
    }
    unsigned n = TLS_SIGN_MAX;
    return padding == 0 && ECDSA_sign(0, data, (int) size, ret, &n, (EC_KEY *) EVP_PKEY_get0_EC_KEY(k->pkey)) == 1 ? (int) n : -EINVAL;
}

/* ---- elsewhere ---- */

static int ask(const TlsRemoteKey *owner, int padding, const unsigned char *data, int size, unsigned char *ret, int max) {
    uint8_t signature[TLS_SIGN_MAX];

    if (!owner || !owner->signer || size < 0)
        return -1;
    int n = owner->signer(owner->userdata, padding, data, (size_t) size, signature);
    if (n <= 0 || n > max)
        return -1;
    memcpy(ret, signature, (size_t) n);
    return n;
}

static int remote_rsa(int size, const unsigned char *from, unsigned char *to, RSA *rsa, int padding) {
    return ask(RSA_get_ex_data(rsa, OWNER_INDEX), padding, from, size, to, RSA_size(rsa));
}

static int remote_ecdsa(int type, const unsigned char *digest, int size, unsigned char *to, unsigned int *ret_size, const BIGNUM *kinv,
                        const BIGNUM *r, EC_KEY *ec) {
    int n = ask(EC_KEY_get_ex_data(ec, OWNER_INDEX), 0, digest, size, to, ECDSA_size(ec));
    if (n <= 0)
        return 0;
    *ret_size = (unsigned) n;
    return 1;
}

static int adopt_rsa(TlsRemoteKey *owner, const EVP_PKEY *public, EVP_PKEY *pkey) {
    owner->rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    RSA *rsa = EVP_PKEY_get1_RSA((EVP_PKEY *) public);
    int r = rsa && owner->rsa_method && RSA_meth_set_priv_enc(owner->rsa_method, remote_rsa) == 1 &&
            RSA_set_method(rsa, owner->rsa_method) == 1 && RSA_set_ex_data(rsa, OWNER_INDEX, owner) == 1 &&
            EVP_PKEY_set1_RSA(pkey, rsa) == 1;
    RSA_free(rsa);
    return r ? 0 : -ENOMEM;
}

static int adopt_ec(TlsRemoteKey *owner, const EVP_PKEY *public, EVP_PKEY *pkey) {
    owner->ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    EC_KEY *ec = EVP_PKEY_get1_EC_KEY((EVP_PKEY *) public);
    if (owner->ec_method)
        EC_KEY_METHOD_set_sign(owner->ec_method, remote_ecdsa, NULL, NULL);
    int r = ec && owner->ec_method && EC_KEY_set_method(ec, owner->ec_method) == 1 && EC_KEY_set_ex_data(ec, OWNER_INDEX, owner) == 1 &&
            EVP_PKEY_set1_EC_KEY(pkey, ec) == 1;
    EC_KEY_free(ec);
    return r ? 0 : -ENOMEM;
}

int tls_remote_key_init(TlsRemoteKey *owner, const EVP_PKEY *public, EVP_PKEY **ret) {
    if (!tls_key_is_supported(public))
        return -EINVAL;
    EVP_PKEY *pkey = EVP_PKEY_new();
    if (!pkey)
        return -ENOMEM;
    int r = EVP_PKEY_get_base_id(public) == EVP_PKEY_RSA ? adopt_rsa(owner, public, pkey) : adopt_ec(owner, public, pkey);
    if (r < 0)
        EVP_PKEY_free(pkey);
    else
        *ret = pkey;
    return r;
}

void tls_remote_key_done(TlsRemoteKey *owner) {
    RSA_meth_free(owner->rsa_method);
    if (owner->ec_method) /* OpenSSL 3.0 looks into NULL */
        EC_KEY_METHOD_free(owner->ec_method);
}
