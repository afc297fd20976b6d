/* JWT: no made-up token verifies; the input as a payload, rightly signed, is read or refused; the input as keys is read or refused. */
#include "basic/strings.h"
#include "crypto/jwt.h"
#include "crypto/password.h"

#include <assert.h>
#include <sodium.h>

#define KEY "0123456789abcdef0123456789abcdef"
#define NOW 1700000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as claims of a token whose signature is right: the parser behind the signature. */
static void as_payload(const JwtKeys *k, const uint8_t *data, size_t size) {
    char token[2 * JWT_TOKEN_MAX] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
    size_t used = strlen(token);
    _cleanup_free_ char *again = NULL;
    JwtClaims claims;

    if (size > JWT_TOKEN_MAX)
        return;
    sodium_bin2base64(token + used, sizeof(token) - used, data, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    used = strlen(token);
    token[used] = '.';
    jwt_sign(KEY, strlen(KEY), token, used, token + used + 1);
    int r = jwt_verify(k, token, strlen(token), NOW, &claims);
    assert(r == 0 || r == -EBADMSG);
    if (r == 0) {
        assert(claims.expires > NOW && claims.issued <= NOW + JWT_CLOCK_SKEW && claims.subject[0] && claims.issuer[0]);
        assert(jwt_encode(k, &claims, &again) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_(jwt_keys_freep) JwtKeys *k = NULL, *other = NULL;
    _cleanup_free_ char *text = strndup((const char *) data, size);
    const char *why = NULL;
    JwtClaims claims;

    assert(crypto_init() == 0);
    assert(jwt_keys_parse(KEY, &k, &why) == 0);
    int r = jwt_verify(k, (const char *) data, size, NOW, &claims);
    assert(r == 0 || r == -EBADMSG); /* 0: the corpus holds a real one */
    assert(jwt_keys_parse(text, &other, &why) == 0 || why);
    as_payload(k, data, size);
    return 0;
}
