/* libsodium's state behind one of our own, so that callers need not know the library. */
#include "crypto/digest.h"

#include <sodium.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(((Sha256 *) 0)->state), "room for libsodium's state");

static crypto_hash_sha256_state *inner(Sha256 *h) {
    return (void *) h->state;
}

void sha256_begin(Sha256 *h) {
    crypto_hash_sha256_init(inner(h));
}

void sha256_add(Sha256 *h, const void *data, size_t size) {
    crypto_hash_sha256_update(inner(h), data, size);
}

void sha256_end(Sha256 *h, uint8_t ret[static SHA256_SIZE]) {
    crypto_hash_sha256_final(inner(h), ret);
}
