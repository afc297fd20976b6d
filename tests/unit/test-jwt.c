/* JWT: RFC 7515's vector, a way there and back, keys and their change, and forgeries: each has to be refused. */
#include "crypto/jwt.h"

#include "basic/strings.h"
#include "crypto/password.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define KEY "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define NOW 1700000000
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define PAYLOAD "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1700000000,\"exp\":1700000900,\"gen\":3}"

static const JwtClaims claims_of_ana = { .issuer = "tempoftp", .subject = "ana@example.org", .issued = NOW, .expires = NOW + 900, .generation = 3 };

static JwtKeys *keys(const char *text) {
    JwtKeys *k = NULL;
    const char *why = NULL;
    assert_int_equal(jwt_keys_parse(text, &k, &why), 0);
    return k;
}

static void encode64(const void *data, size_t size, int variant, char *ret, size_t room) {
    assert_non_null(sodium_bin2base64(ret, room, data, size, variant));
}

/* A token of any header and payload with a right HS256 signature. */
static void forge(const char *header, const char *payload, const char *key, char ret[static 4 * JWT_TOKEN_MAX]) {
    encode64(header, strlen(header), sodium_base64_VARIANT_URLSAFE_NO_PADDING, ret, JWT_TOKEN_MAX);
    strcat(ret, ".");
    size_t used = strlen(ret);
    encode64(payload, strlen(payload), sodium_base64_VARIANT_URLSAFE_NO_PADDING, ret + used, 4 * JWT_TOKEN_MAX - 64 - used);
    used = strlen(ret);
    strcat(ret, ".");
    jwt_sign(key, strlen(key), ret, used, ret + used + 1);
}

static int verify(const JwtKeys *k, const char *token, int64_t now) {
    JwtClaims c;
    return jwt_verify(k, token, strlen(token), now, &c);
}

static void rfc_7515_appendix_a1(void **state) {
    static const char input[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                                "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    static const char secret[] = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    uint8_t key[64];
    size_t size;
    char signature[JWT_SIGNATURE_SIZE];

    assert_int_equal(sodium_base642bin(key, sizeof(key), secret, strlen(secret), NULL, &size, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING), 0);
    jwt_sign(key, size, input, strlen(input), signature);
    assert_string_equal(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

static void there_and_back(void **state) {
    _cleanup_(jwt_keys_freep) JwtKeys *k = keys(KEY);
    _cleanup_free_ char *token = NULL;
    char same[4 * JWT_TOKEN_MAX];
    JwtClaims c;

    assert_int_equal(jwt_encode(k, &claims_of_ana, &token), 0);
    forge(HEADER, PAYLOAD, KEY, same);
    assert_string_equal(token, same);
    assert_int_equal(jwt_verify(k, token, strlen(token), NOW, &c), 0);
    assert_string_equal(c.issuer, "tempoftp");
    assert_string_equal(c.subject, "ana@example.org");
    assert_int_equal(c.issued, NOW);
    assert_int_equal(c.expires, NOW + 900);
    assert_int_equal(c.generation, 3);
}

static void only_between_iat_and_exp(void **state) {
    _cleanup_(jwt_keys_freep) JwtKeys *k = keys(KEY);
    _cleanup_free_ char *token = NULL;
    static const struct {
        int64_t now;
        int r;
    } cases[] = {
        { NOW, 0 },          { NOW + 899, 0 },      { NOW + 900, -EBADMSG }, { NOW + 100000, -EBADMSG }, { INT64_MAX, -EBADMSG },
        { NOW - 60, 0 },     { NOW - 61, -EBADMSG }, { 0, -EBADMSG },
    };

    assert_int_equal(jwt_encode(k, &claims_of_ana, &token), 0);
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        assert_int_equal(verify(k, token, cases[i].now), cases[i].r);
}

static void the_longest_address_fits(void **state) {
    _cleanup_(jwt_keys_freep) JwtKeys *k = keys(KEY);
    _cleanup_free_ char *token = NULL;
    JwtClaims c = claims_of_ana;

    memset(c.subject, 'a', JWT_SUBJECT_MAX);
    memset(c.issuer, '"', JWT_ISSUER_MAX); /* twice as long in JSON */
    assert_int_equal(jwt_encode(k, &c, &token), 0);
    assert_int_equal(verify(k, token, NOW), 0);
}

static void unsound_claims_are_not_signed(void **state) {
    _cleanup_(jwt_keys_freep) JwtKeys *k = keys(KEY);
    JwtClaims bad[6];
    char *token = NULL;

    for (size_t i = 0; i < ELEMENTS(bad); i++)
        bad[i] = claims_of_ana;
    bad[0].subject[0] = '\0';
    bad[1].issuer[0] = '\0';
    bad[2].expires = bad[2].issued;
    bad[3].expires = bad[3].issued + JWT_LIFETIME_MAX + 1;
    bad[4].issued = -1;
    strcpy(bad[5].subject, "\xff");
    for (size_t i = 0; i < ELEMENTS(bad); i++)
        assert_int_equal(jwt_encode(k, &bad[i], &token), -EINVAL);
    assert_null(token);
}

static void two_keys_live_at_once(void **state) {
    _cleanup_(jwt_keys_freep) JwtKeys *old = keys(OTHER), *both = keys(KEY " , " OTHER "\n"), *new = keys(KEY);
    _cleanup_free_ char *token_of_old = NULL, *token_of_both = NULL;

    assert_int_equal(jwt_encode(old, &claims_of_ana, &token_of_old), 0);
    assert_int_equal(jwt_encode(both, &claims_of_ana, &token_of_both), 0);
    assert_int_equal(verify(both, token_of_old, NOW), 0);
    assert_int_equal(verify(both, token_of_both, NOW), 0);
    assert_int_equal(verify(new, token_of_both, NOW), 0);
    assert_int_equal(verify(new, token_of_old, NOW), -EBADMSG);
}

static void keys_have_rules(void **state) {
    static const struct {
        const char *text;
        int r;
        const char *why;
    } cases[] = {
        { "", -EINVAL, "at least 32" },
        { "clave_super_segura_cambia_esto", -EINVAL, "at least 32" },
        { KEY ",", -EINVAL, "at least 32" },
        { "," KEY, -EINVAL, "at least 32" },
        { "0123456789abcdef 0123456789abcdef", -EINVAL, "without spaces" },
        { "0123456789abcdef0123456789abcde\xc3\xb1", -EINVAL, "printable ASCII" },
        { KEY "," KEY "," KEY "," KEY "," KEY "," KEY "," KEY "," KEY "," KEY, -E2BIG, "at most 8" },
    };
    char longest[JWT_KEY_MAX + 2] = "";
    const char *why = NULL;
    JwtKeys *k = NULL;

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        assert_int_equal(jwt_keys_parse(cases[i].text, &k, &why), cases[i].r);
        assert_non_null(strstr(why, cases[i].why));
    }
    memset(longest, 'k', JWT_KEY_MAX + 1);
    assert_int_equal(jwt_keys_parse(longest, &k, &why), -EINVAL);
    assert_null(k);
    longest[JWT_KEY_MAX] = '\0';
    assert_int_equal(jwt_keys_parse(longest, &k, &why), 0);
    jwt_keys_free(k);
}

/* Rightly signed by our own key, and yet none of our tokens. */
static void signed_forgeries(void **state) {
    _cleanup_(jwt_keys_freep) JwtKeys *k = keys(KEY);
    static const struct {
        const char *header, *payload;
    } cases[] = {
        { "{\"alg\":\"none\",\"typ\":\"JWT\"}", PAYLOAD },
        { "{\"alg\":\"None\",\"typ\":\"JWT\"}", PAYLOAD },
        { "{\"alg\":\"RS256\",\"typ\":\"JWT\"}", PAYLOAD },
        { "{\"alg\":\"HS384\",\"typ\":\"JWT\"}", PAYLOAD },
        { "{\"alg\":\"hs256\",\"typ\":\"JWT\"}", PAYLOAD },
        { "{\"alg\":\"HS256\",\"typ\":\"JWE\"}", PAYLOAD },
        { "{\"alg\":\"HS256\"}", PAYLOAD },
        { "{\"typ\":\"JWT\"}", PAYLOAD },
        { "{\"typ\":\"JWT\",\"alg\":\"HS256\"}", PAYLOAD },
        { "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"../../dev/null\"}", PAYLOAD },
        { "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"crit\":[\"exp\"]}", PAYLOAD },
        { "{\"alg\":\"HS256\",\"alg\":\"none\",\"typ\":\"JWT\"}", PAYLOAD },
        { "{}", PAYLOAD },
        { HEADER, "" },
        { HEADER, "null" },
        { HEADER, "[]" },
        { HEADER, "{}" },
        { HEADER, "\"ana@example.org\"" },
        { HEADER, "not json" },
        { HEADER, PAYLOAD "x" },
        { HEADER, "{\"iss\":\"tempoftp\",\"iat\":1700000000,\"exp\":1700000900,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"\",\"iat\":1700000000,\"exp\":1700000900,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":7,\"iat\":1700000000,\"exp\":1700000900,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"a\\u0000b\",\"iat\":1700000000,\"exp\":1700000900,\"gen\":3}" },
        { HEADER, "{\"sub\":\"ana@example.org\",\"iat\":1700000000,\"exp\":1700000900,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1700000000,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"exp\":1700000900,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1700000000,\"exp\":1700000900}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1700000000,\"exp\":\"1700000900\",\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1700000000,\"exp\":1700000900.5,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1700000000,\"exp\":1e300,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1700000000,\"exp\":99999999999,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1700000000,\"exp\":99999999999999999999,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1699990000,\"exp\":1699999999,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1700000061,\"exp\":1700000900,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":-1,\"exp\":1700000900,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"iat\":1700000000,\"exp\":1700000900,\"gen\":-1}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"ana@example.org\",\"sub\":\"eva@example.org\",\"iat\":1700000000,\"exp\":1700000900,\"gen\":3}" },
        { HEADER, "{\"iss\":\"tempoftp\",\"sub\":\"\xff\",\"iat\":1700000000,\"exp\":1700000900,\"gen\":3}" },
    };
    char token[4 * JWT_TOKEN_MAX];

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        forge(cases[i].header, cases[i].payload, KEY, token);
        if (verify(k, token, NOW) != -EBADMSG)
            fail_msg("verified: %s %s", cases[i].header, cases[i].payload);
    }
    forge(HEADER, PAYLOAD, OTHER, token);
    assert_int_equal(verify(k, token, NOW), -EBADMSG);
}

static void damage_anywhere(void **state) {
    _cleanup_(jwt_keys_freep) JwtKeys *k = keys(KEY);
    _cleanup_free_ char *token = NULL;
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n";

    assert_int_equal(jwt_encode(k, &claims_of_ana, &token), 0);
    size_t size = strlen(token);
    for (size_t i = 0; i < size; i++) {
        char was = token[i];
        for (const char *p = letters; *p; p++)
            if (*p != was) { /* the last letter has spare bits: another spelling of the same signature is refused too */
                token[i] = *p;
                assert_int_equal(verify(k, token, NOW), -EBADMSG);
            }
        token[i] = was;
        assert_int_equal(verify(k, token + i + 1, NOW), -EBADMSG);
        JwtClaims c;
        assert_int_equal(jwt_verify(k, token, i, NOW, &c), -EBADMSG);
    }
    assert_int_equal(verify(k, token, NOW), 0);
}

static void other_spellings(void **state) {
    _cleanup_(jwt_keys_freep) JwtKeys *k = keys(KEY);
    static const char *const shapes[] = { "%s=", "%s.", ".%s", "%s.%1$s", "%s\n", " %s", "Bearer %s" };
    _cleanup_free_ char *token = NULL;
    char text[4 * JWT_TOKEN_MAX];

    assert_int_equal(jwt_encode(k, &claims_of_ana, &token), 0);
    for (size_t i = 0; i < ELEMENTS(shapes); i++) {
        const char *at = strstr(shapes[i], "%s");
        snprintf(text, sizeof(text), "%.*s%s%s", (int) (at - shapes[i]), shapes[i], token, i == 3 ? "." : at + 2);
        if (i == 3)
            strcat(text, token);
        assert_int_equal(verify(k, text, NOW), -EBADMSG);
    }
    memset(text, 'A', sizeof(text));
    memcpy(text, token, strlen(token));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(verify(k, text, NOW), -EBADMSG); /* far too long */
    assert_int_equal(verify(k, "..", NOW), -EBADMSG);
    assert_int_equal(verify(k, "", NOW), -EBADMSG);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_7515_appendix_a1), cmocka_unit_test(there_and_back),
        cmocka_unit_test(only_between_iat_and_exp), cmocka_unit_test(the_longest_address_fits),
        cmocka_unit_test(unsound_claims_are_not_signed), cmocka_unit_test(two_keys_live_at_once),
        cmocka_unit_test(keys_have_rules), cmocka_unit_test(signed_forgeries),
        cmocka_unit_test(damage_anywhere), cmocka_unit_test(other_spellings),
    };

    if (crypto_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
