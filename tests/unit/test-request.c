/* The rules for single words: ids, addresses, groups, X-Request-IDs; valid and hostile ones. */
#include "model/request.h"

#include "basic/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

static void ids(void **state) {
    static const char *const valid[] = { "a", "0", "A-Z_0.9", "proyecto_test_1", "a.b.c", "User", "users", "expired1", "a.", "a-", X64 };
    static const char *const invalid[] = {
        "", ".", "..", ".a", "-a", "_a", "a..b", "a..", "expired", "user", "a/b", "../a", "a b", " a", "a ", "a\n", "a\t", "ñ", "a%2f",
        "a\\b", "a;b", "$(id)", "`id`", "a|b", "a&b", "a*b", "a?b", "a'b", "a\"b", "a@b", "a:b", "a+b", "a,b", "a\x7f", "a\xff", X64 "x",
    };

    for (size_t i = 0; i < ELEMENTS(valid); i++)
        assert_true(id_is_valid(valid[i]));
    for (size_t i = 0; i < ELEMENTS(invalid); i++)
        assert_false(id_is_valid(invalid[i]));
}

static void addresses(void **state) {
    static const char *const valid[] = {
        "a@b", "alguien@dominio", "test.user@example.com", "A.B@EXAMPLE.ORG", "a+tag@b.c", "!#$%&'*+-/=?^_`{|}~@b.c", "1@2.3",
        "a@b-c.d", "a@x--y.z", "a.b.c@d.e.f", X64 "@" X64 ".org",
    };
    static const char *const invalid[] = {
        "", "@", "a", "a@", "@b", "a@@b", "a@b@c", "a b@c", "a@b c", " a@b", "a@b ", "a@b\n", "a\n@b", ".a@b", "a.@b", "a..b@c", "a@.b",
        "a@b.", "a@b..c", "a@-b", "a@b-", "a@b-.c", "a@b.-c", "a@b_c", "ñ@b.c", "a@ñ.c", "\"a b\"@c.d", "a(b)@c", "<a@b>", "a,b@c",
        "a;b@c", "a:b@c", "a@[127.0.0.1]", "a\x7f@b", "a\t@b", "a@b\r\nBcc: c@d", "a\\b@c", "a@b/c",
    };

    for (size_t i = 0; i < ELEMENTS(valid); i++)
        assert_true(email_is_valid(valid[i]));
    for (size_t i = 0; i < ELEMENTS(invalid); i++)
        assert_false(email_is_valid(invalid[i]));
}

static void address_length(void **state) {
    char email[EMAIL_MAX + 2];

    memset(email, 'a', sizeof(email));
    memcpy(email, "x@", 2);
    email[EMAIL_MAX] = '\0';
    assert_true(email_is_valid(email));
    email[EMAIL_MAX] = 'a';
    email[EMAIL_MAX + 1] = '\0';
    assert_false(email_is_valid(email));
}

static void address_case(void **state) {
    char email[] = "Test.USER+Z@Example.ORG[\\]^";

    email_normalize(email);
    assert_string_equal(email, "test.user+z@example.org[\\]^");
}

static void groups(void **state) {
    assert_true(group_is_valid("lanot"));
    assert_true(group_is_valid("a..b"));
    assert_true(group_is_valid("user"));
    assert_true(group_is_valid(X64));
    assert_false(group_is_valid(""));
    assert_false(group_is_valid("-a"));
    assert_false(group_is_valid(X64 "x"));
    assert_false(group_is_valid("a b"));
}

static void header_ids(void **state) {
    assert_true(request_header_id_is_valid("-"));
    assert_true(request_header_id_is_valid("..a_B-9"));
    assert_true(request_header_id_is_valid(X64));
    assert_false(request_header_id_is_valid(""));
    assert_false(request_header_id_is_valid(X64 "x"));
    assert_false(request_header_id_is_valid("a b"));
    assert_false(request_header_id_is_valid("a\nb"));
    assert_false(request_header_id_is_valid("ñ"));
}

static void done_twice(void **state) {
    Request r = { .ruta = strdup("a"), .message = strdup("b") };

    request_done(&r);
    assert_null(r.ruta);
    request_done(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids),    cmocka_unit_test(addresses),  cmocka_unit_test(address_length), cmocka_unit_test(address_case),
        cmocka_unit_test(groups), cmocka_unit_test(header_ids), cmocka_unit_test(done_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
