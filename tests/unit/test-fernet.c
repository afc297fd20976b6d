/* Fernet: the specification's own vectors (generate.json, verify.json, invalid.json), keys, rotation, damage of every byte. */
#include "crypto/fernet.h"

#include "basic/strings.h"
#include "crypto/password.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define SECRET "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
#define TOKEN "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
#define MADE 499162800 /* 1985-10-26T01:20:00-07:00 */

static const uint8_t spec_iv[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static FernetKeys *keys(const char *text) {
    FernetKeys *k = NULL;
    const char *why = NULL;
    assert_int_equal(fernet_keys_parse(text, &k, &why), 0);
    return k;
}

static void specification_generates(void **state) {
    _cleanup_(fernet_keys_freep) FernetKeys *k = keys(SECRET);
    _cleanup_free_ char *token = NULL;

    assert_int_equal(fernet_encrypt_with_iv(k, "hello", 5, MADE, spec_iv, &token), 0);
    assert_string_equal(token, TOKEN);
}

static void specification_verifies(void **state) {
    _cleanup_(fernet_keys_freep) FernetKeys *k = keys(SECRET);
    static const struct {
        int64_t now;
        uint32_t ttl;
        int r;
    } cases[] = {
        { MADE + 1, 60, 0 },          { MADE + 60, 60, 0 },     { MADE + 61, 60, -EBADMSG }, { MADE - 60, 60, 0 },
        { MADE - 61, 60, -EBADMSG },  { MADE + 1000000, 0, 0 }, { 0, 0, 0 },                 { 0, 1, -EBADMSG },
        { -1, UINT32_MAX, -EBADMSG }, { MADE + UINT32_MAX, UINT32_MAX, 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_free_ char *plain = NULL;
        size_t size = 0, index = 99;
        assert_int_equal(fernet_decrypt(k, TOKEN, cases[i].now, cases[i].ttl, &plain, &size, &index), cases[i].r);
        if (cases[i].r < 0) {
            assert_null(plain);
            continue;
        }
        assert_int_equal(size, 5);
        assert_string_equal(plain, "hello");
        assert_int_equal(index, 0);
    }
}

static void specification_refuses(void **state) {
    _cleanup_(fernet_keys_freep) FernetKeys *k = keys(SECRET);
    static const struct {
        const char *why, *token;
        int64_t now;
    } cases[] = {
        { "incorrect mac",
          "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==", MADE + 1 },
        { "too short", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==", MADE + 1 },
        { "invalid base64",
          "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==", MADE + 1 },
        { "payload size not multiple of block size",
          "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm", MADE + 1 },
        { "payload padding error",
          "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==", MADE + 1 },
        { "far-future TS",
          "gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==", MADE + 1 },
        { "expired TTL",
          "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==", MADE + 91 },
        { "incorrect IV",
          "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==", MADE + 1 },
        { "nothing", "", MADE + 1 },
        { "no padding of the text",
          "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA", MADE + 1 },
        { "something behind it", TOKEN "A", MADE + 1 },
        { "white space", TOKEN "\n", MADE + 1 },
        { "the other alphabet of base64",
          "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ/eEwCGM4BLLF/5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==", MADE + 1 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char *plain = NULL;
        if (fernet_decrypt(k, cases[i].token, cases[i].now, 60, &plain, NULL, NULL) != -EBADMSG)
            fail_msg("accepted: %s", cases[i].why);
        assert_null(plain);
    }
}

static void any_damage_is_seen(void **state) {
    _cleanup_(fernet_keys_freep) FernetKeys *k = keys(SECRET);
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=";

    for (size_t at = 0; at < sizeof(TOKEN) - 1; at++)
        for (size_t c = 0; c < sizeof(alphabet) - 1; c++) {
            char token[] = TOKEN, *plain = NULL;
            if (token[at] == alphabet[c])
                continue;
            token[at] = alphabet[c];
            assert_int_equal(fernet_decrypt(k, token, MADE, 0, &plain, NULL, NULL), -EBADMSG);
        }
}

static void every_size_comes_back(void **state) {
    static const size_t sizes[] = { 0, 1, 15, 16, 17, 20, 31, 32, 1000, FERNET_PLAIN_MAX };
    char key[FERNET_KEY_TEXT_SIZE];
    _cleanup_free_ uint8_t *plain = malloc(FERNET_PLAIN_MAX + 1);

    fernet_key_generate(key);
    _cleanup_(fernet_keys_freep) FernetKeys *k = keys(key);
    random_bytes(plain, FERNET_PLAIN_MAX + 1);
    for (size_t i = 0; i < ELEMENTS(sizes); i++) {
        _cleanup_free_ char *token = NULL, *again = NULL, *back = NULL;
        size_t size = 0;
        assert_int_equal(fernet_encrypt(k, plain, sizes[i], MADE, &token), 0);
        assert_int_equal(fernet_encrypt(k, plain, sizes[i], MADE, &again), 0);
        assert_string_not_equal(token, again); /* another IV each time */
        assert_int_equal(fernet_decrypt(k, token, MADE, 1, &back, &size, NULL), 0);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(back, plain, size);
        assert_int_equal(back[size], '\0');
    }
    char *token = NULL;
    assert_int_equal(fernet_encrypt(k, plain, FERNET_PLAIN_MAX + 1, MADE, &token), -E2BIG);
    assert_null(token);
}

static void keys_rotate(void **state) {
    char a[FERNET_KEY_TEXT_SIZE], b[FERNET_KEY_TEXT_SIZE], both[2 * FERNET_KEY_TEXT_SIZE + 4];
    char *none = NULL;

    fernet_key_generate(a);
    fernet_key_generate(b);
    assert_string_not_equal(a, b);
    snprintf(both, sizeof(both), " %s , %s\n", b, a);
    _cleanup_(fernet_keys_freep) FernetKeys *old = keys(a), *rotated = keys(both), *new = keys(b);
    _cleanup_free_ char *from_old = NULL, *from_rotated = NULL, *plain = NULL;
    size_t index = 99;

    assert_int_equal(fernet_encrypt(old, "x", 1, MADE, &from_old), 0);
    assert_int_equal(fernet_decrypt(rotated, from_old, MADE, 0, &plain, NULL, &index), 0);
    assert_int_equal(index, 1); /* "re-encrypt" */
    assert_int_equal(fernet_decrypt(new, from_old, MADE, 0, &none, NULL, NULL), -EBADMSG);
    assert_int_equal(fernet_encrypt(rotated, "x", 1, MADE, &from_rotated), 0);
    free(plain);
    assert_int_equal(fernet_decrypt(new, from_rotated, MADE, 0, &plain, NULL, &index), 0);
    assert_int_equal(index, 0);
    assert_int_equal(fernet_decrypt(old, from_rotated, MADE, 0, &none, NULL, NULL), -EBADMSG);
}

static void other_keys_are_refused(void **state) {
    static const struct {
        const char *text;
        int r;
    } cases[] = {
        { "", -EINVAL },
        { " ", -EINVAL },
        { "changeme", -EINVAL },
        { "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4", -EINVAL },
        { "cw/0x689RpI+jtRR7oE8h/eQsKImvJapLeSbXpwF4e4=", -EINVAL },
        { "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4A", -EINVAL },
        { "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e==", -EINVAL },
        { "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e5=", -EINVAL }, /* bits that no 32 bytes have */
        { SECRET SECRET, -EINVAL },
        { SECRET ",", -EINVAL },
        { "," SECRET, -EINVAL },
        { SECRET ",," SECRET, -EINVAL },
        { SECRET "," SECRET "," SECRET "," SECRET "," SECRET "," SECRET "," SECRET "," SECRET "," SECRET, -E2BIG },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        FernetKeys *k = NULL;
        const char *why = NULL;
        assert_int_equal(fernet_keys_parse(cases[i].text, &k, &why), cases[i].r);
        assert_null(k);
        assert_false(is_blank(why));
        assert_null(strstr(why, "cw_0"));
    }
    assert_null(fernet_keys_free(NULL));
    fernet_keys_free(keys(SECRET "," SECRET "," SECRET "," SECRET "," SECRET "," SECRET "," SECRET "," SECRET));
}

static int start(void **state) {
    return crypto_init();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specification_generates), cmocka_unit_test(specification_verifies), cmocka_unit_test(specification_refuses),
        cmocka_unit_test(any_damage_is_seen),      cmocka_unit_test(every_size_comes_back),  cmocka_unit_test(keys_rotate),
        cmocka_unit_test(other_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
