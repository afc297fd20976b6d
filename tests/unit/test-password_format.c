/* Hashes as FTP servers outside want them: their form, their lengths, and that the same library takes them back. */
#include "crypto/password_format.h"

#include "basic/strings.h"

#include <crypt.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void every_hash_has_the_length_that_is_told(void **state) {
    for (PasswordFormat f = PASSWORD_ARGON2; f <= PASSWORD_CLEARTEXT; f++) {
        char password[PASSWORD_LENGTH + 1], hash[PASSWORD_HASH_SIZE];
        PasswordFormat found;

        password_generate(password);
        assert_int_equal(password_format_hash(f, password, hash), 0);
        assert_int_equal(strlen(hash), password_format_length(f));
        assert_int_equal(password_format_find(hash, &found), 0);
        assert_int_equal(found, f);
        assert_int_equal(password_format_find("*", &found), -EINVAL);
    }
}

static void hashes_are_what_they_are_called(void **state) {
    char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];
    struct crypt_data data = { 0 };

    assert_int_equal(password_format_hash(PASSWORD_ARGON2, "secret", hash), 0);
    assert_true(password_verify(hash, "secret"));
    assert_int_equal(password_format_hash(PASSWORD_CRYPT, "secret", hash), 0);
    assert_true(has_prefix(hash, "$2b$04$"));
    assert_string_equal(crypt_rn("secret", hash, &data, sizeof(data)), hash);
    assert_string_not_equal(crypt_rn("Secret", hash, &data, sizeof(data)), hash);
    assert_int_equal(password_format_hash(PASSWORD_CRYPT, "secret", other), 0);
    assert_string_not_equal(hash, other); /* salted */
    assert_int_equal(password_format_hash(PASSWORD_MD5, "secret", hash), 0);
    assert_string_equal(hash, "5ebe2294ecd0e0f08eab7690d2a6ee69");
    assert_int_equal(password_format_hash(PASSWORD_CLEARTEXT, "secret", hash), 0);
    assert_string_equal(hash, "secret");
}

static void the_weak_say_why(void **state) {
    assert_null(password_format_weakness(PASSWORD_ARGON2));
    assert_null(password_format_weakness(PASSWORD_CRYPT));
    assert_non_null(password_format_weakness(PASSWORD_MD5));
    assert_non_null(password_format_weakness(PASSWORD_CLEARTEXT));
}

static void what_pure_ftpd_takes(void **state) {
    static const struct {
        PasswordFormat format;
        const char *mysqlcrypt;
        bool taken;
    } cases[] = {
        { PASSWORD_ARGON2, "argon2", true },     { PASSWORD_ARGON2, "Argon2", true },     { PASSWORD_ARGON2, "any", true },
        { PASSWORD_ARGON2, "crypt", false },     { PASSWORD_ARGON2, "scrypt", false },    { PASSWORD_CRYPT, "crypt", true },
        { PASSWORD_CRYPT, "ANY", true },         { PASSWORD_CRYPT, "scrypt", false },     { PASSWORD_CRYPT, "", false },
        { PASSWORD_MD5, "md5", true },           { PASSWORD_MD5, "any", false },         { PASSWORD_CLEARTEXT, "cleartext", true },
        { PASSWORD_CLEARTEXT, "any", false },    { PASSWORD_CLEARTEXT, "md5", false },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        assert_int_equal(password_format_is_taken(cases[i].format, cases[i].mysqlcrypt), cases[i].taken);
}

static int setup(void **state) {
    return crypto_init();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hash_has_the_length_that_is_told),
        cmocka_unit_test(hashes_are_what_they_are_called),
        cmocka_unit_test(the_weak_say_why),
        cmocka_unit_test(what_pure_ftpd_takes),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
