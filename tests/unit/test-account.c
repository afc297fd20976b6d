/* Account names from addresses and digests. */
#include "model/account.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* SHA-256 of "test@example.com"; Python: base64.b32encode(…).lower() begins with s4674rr6zbly. */
static const uint8_t digest[32] = {
    0x97, 0x3d, 0xfe, 0x46, 0x3e, 0xc8, 0x57, 0x85, 0xf5, 0xf9, 0x5a, 0xf5, 0xba, 0x39, 0x06, 0xee,
    0xdb, 0x2d, 0x93, 0x1c, 0x24, 0xe6, 0x98, 0x24, 0xa8, 0x9e, 0xa6, 0x5d, 0xba, 0x4e, 0x81, 0x3b,
};

static void names(void **state) {
    static const struct {
        const char *email;
        size_t suffix;
        const char *name;
    } cases[] = {
        { "test@example.com", 4, "ftp_test_s467" },
        { "test@example.com", 5, "ftp_test_s4674" },
        { "test@example.com", 11, "ftp_test_s4674rr6zbl" },
        { "Test.User+1@example.com", 4, "ftp_testuser1_s467" },
        { "+.-@example.com", 4, "ftp_x_s467" },
        { "abcdefghijklmnopqrstuvwxyz0123456789@b", 11, "ftp_abcdefghijklmnopqrstuvwxyz012345_s4674rr6zbl" },
        { "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.0.1.2.3.4.5.6@b", 4, "ftp_abcdefghijklmnopqrstuvwxyz012345_s467" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char name[ACCOUNT_NAME_MAX + 1];
        assert_int_equal(account_name_make(cases[i].email, digest, cases[i].suffix, name), 0);
        assert_string_equal(name, cases[i].name);
        assert_true(strlen(name) <= ACCOUNT_NAME_MAX);
        assert_true(account_name_is_valid(name));
    }
    char name[ACCOUNT_NAME_MAX + 1] = "same";
    assert_int_equal(account_name_make("a@b", digest, 3, name), -ERANGE);
    assert_int_equal(account_name_make("a@b", digest, 12, name), -ERANGE);
    assert_string_equal(name, "same");
}

static void validity(void **state) {
    static const char *const invalid[] = {
        "", "ftp_", "ftp__abcd", "ftp_a_abc", "ftp_a_abcdefghijkl", "ftp_a_abc1", "ftp_a_ABCD", "ftp_A_abcd", "ftp_a", "ftp_a_b_abcd",
        "ftp_a.b_abcd", "ftp_a_abcd/", "../ftp_a_abcd", "ftpuser", "ftp_a_abcd ", "ftp_abcdefghijklmnopqrstuvwxyz0123456_abcd",
    };

    for (size_t i = 0; i < ELEMENTS(invalid); i++)
        assert_false(account_name_is_valid(invalid[i]));
    assert_true(account_name_is_valid("ftp_x_a234"));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(validity) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
