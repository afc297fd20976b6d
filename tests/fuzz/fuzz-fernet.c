/* Fernet: no made-up token opens; the input as a plaintext comes back; the input as keys is read or refused. */
#include "basic/strings.h"
#include "crypto/fernet.h"
#include "crypto/password.h"

#include <assert.h>
#include <errno.h>

#define SECRET "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_(fernet_keys_freep) FernetKeys *k = NULL, *other = NULL;
    _cleanup_free_ char *text = strndup((const char *) data, size), *opened = NULL, *token = NULL, *back = NULL;
    const char *why = NULL;
    size_t back_size = 0;

    assert(crypto_init() == 0);
    assert(fernet_keys_parse(SECRET, &k, &why) == 0);
    int r = fernet_decrypt(k, text, 499162800, size % 2 ? 60 : 0, &opened, NULL, NULL);
    assert(r == 0 || r == -EBADMSG); /* 0: the corpus holds real ones */
    assert(fernet_keys_parse(text, &other, &why) == 0 || why);

    if (size > FERNET_PLAIN_MAX)
        return 0;
    assert(fernet_encrypt(k, data, size, 1, &token) == 0);
    assert(fernet_decrypt(k, token, 1, 1, &back, &back_size, NULL) == 0);
    assert(back_size == size && (size == 0 || memcmp(back, data, size) == 0));
    return 0;
}
