/* SHA-256: the examples of FIPS 180-4, whole and in pieces. */
#include "crypto/digest.h"

#include "basic/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void examples(void **state) {
    static const struct {
        const char *text, *digest;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        for (size_t piece = 1; piece < 70; piece += 3) {
            size_t size = strlen(cases[i].text);
            char hex[2 * SHA256_SIZE + 1];
            uint8_t digest[SHA256_SIZE];
            Sha256 h;

            sha256_begin(&h);
            for (size_t at = 0; at < size; at += piece)
                sha256_add(&h, cases[i].text + at, size - at < piece ? size - at : piece);
            sha256_end(&h, digest);
            hex_encode(digest, sizeof(digest), hex);
            assert_string_equal(hex, cases[i].digest);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(examples) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
