/* Pure-FTPd's MySQL configuration as people write it. */
#include "accounts/pureftpd_conf.h"

#include "basic/fds.h"
#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void what_is_found(void **state) {
    static const struct {
        const char *text;
        int r;
        const char *crypt;
        bool status, expires;
    } cases[] = {
        { "", 0, "", false, false },
        { "MYSQLCrypt argon2", 0, "argon2", false, false },
        { "MYSQLCrypt\t\targon2  \r\n", 0, "argon2", false, false },
        { "  mysqlcrypt crypt\n", 0, "crypt", false, false },
        { "# MYSQLCrypt md5\n#MYSQLCrypt md5\nMYSQLCrypt any\n", 0, "any", false, false },
        { "MYSQLCrypt any\nMYSQLCrypt ANY\n", 0, "ANY", false, false },
        { "MYSQLCrypt any\nMYSQLCrypt md5\n", -EINVAL, NULL, false, false },
        { "MYSQLCrypt\n", -EINVAL, NULL, false, false },
        { "MYSQLCrypt aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", -EINVAL, NULL, false, false },
        { "MYSQLCryptic md5\nXMYSQLCrypt md5\n", 0, "", false, false },
        { "MYSQLGetPW SELECT Password FROM users WHERE User='\\L' AND Status='1'", 0, "", true, false },
        { "MYSQLGetPW SELECT p FROM users WHERE `status`=1 AND (`expires` IS NULL OR expires>UTC_TIMESTAMP())\n", 0, "", true, true },
        { "MYSQLGetPW SELECT Password FROM users WHERE MyStatus=1 AND Status2=1 AND Expires_at > NOW()\n", 0, "", false, false },
        { "MYSQLGetUID SELECT Uid FROM users WHERE Status=1\n", 0, "", false, false },
        { "#MYSQLGetPW Status\n", 0, "", false, false },
        { "MYSQLPassword MYSQLCrypt md5\n", 0, "", false, false },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        PureftpdConf conf = { 0 };
        assert_int_equal(pureftpd_conf_parse(cases[i].text, strlen(cases[i].text), &conf), cases[i].r);
        if (cases[i].r < 0)
            continue;
        assert_string_equal(conf.crypt, cases[i].crypt);
        assert_int_equal(conf.asks_status, cases[i].status);
        assert_int_equal(conf.asks_expires, cases[i].expires);
    }
}

static void bytes_that_are_no_text(void **state) {
    PureftpdConf conf;
    assert_int_equal(pureftpd_conf_parse("MYSQLCrypt a\0b", 14, &conf), -EINVAL);
}

static void the_one_that_we_ship(void **state) {
    PureftpdConf conf;
    char *text;
    size_t size;

    assert_int_equal(read_file(SOURCE_ROOT "/sql/pureftpd-mysql.conf", PUREFTPD_CONF_MAX, &text, &size), 0);
    assert_int_equal(pureftpd_conf_parse(text, size, &conf), 0);
    free(text);
    assert_string_equal(conf.crypt, "argon2");
    assert_true(conf.asks_status && conf.asks_expires);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(the_one_that_we_ship),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
