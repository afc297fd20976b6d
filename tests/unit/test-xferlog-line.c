/* Lines of Pure-FTPd's transfer log: those that count, and what each other one is taken for. The lines are Pure-FTPd 1.0.50's own. */
#include "xferlog/line.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define WHEN "2026-11-21 21:02:37 "
#define SENT WHEN "127.0.0.1 []sent "

static int parse(const char *line, LogLine *ret) {
    return line_parse(line, strlen(line), "/data", ret);
}

static void downloads_are_read(void **state) {
    static const struct {
        const char *line, *address;
        uint64_t bytes;
    } cases[] = {
        { SENT "/data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000", "127.0.0.1", 1000 },
        { WHEN "2001:db8::7 []sent /data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 0", "2001:db8::7", 0 },
        { WHEN "client.example.org []sent /data/ftp_ana_abcd/uno/sub%20dir/deep.bin 226 ftp_ana_abcd 500", "client.example.org", 500 },
        { SENT "/data/ftp_ana_abcd/uno/%FF%FEbad%0A.txt 226 ftp_ana_abcd 7", "127.0.0.1", 7 },
        { SENT "/data/ftp_ana_abcd/uno/%C3%B1and%C3%BA%25%22%27%2B 226 ftp_ana_abcd 7", "127.0.0.1", 7 },
        { SENT "/data//ftp_ana_abcd/./uno/a 226 ftp_ana_abcd 7", "127.0.0.1", 7 }, /* Dir: "/data//ftp_ana_abcd/./" */
        { SENT "/data/ftp_ana_abcd/uno/a 226 ftp_ana_abcd 1000000000000000", "127.0.0.1", 1000000000000000 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        LogLine l;
        if (parse(cases[i].line, &l) != 0)
            fail_msg("refused: %s", cases[i].line);
        assert_int_equal(l.when, 1795294957);
        assert_string_equal(l.account, "ftp_ana_abcd");
        assert_string_equal(l.id, "uno");
        assert_string_equal(l.address, cases[i].address);
        assert_int_equal(l.bytes, cases[i].bytes);
    }
}

static void others_lines_are_passed_over(void **state) {
    static const char *const cases[] = {
        "#Software: Pure-FTPd 1.0.50",
        "#Fields: date time c-ip cs-method cs-uri-stem sc-status cs-username sc-bytes",
        WHEN "127.0.0.1 []created /data/ftp_ana_abcd/uno/up.txt 226 ftp_ana_abcd 77",
        SENT "/data/ftp_ana_abcd/uno/plain.txt 226 bob 1000", /* another account that reaches the same folder */
        SENT "/data/bob/uno/plain.txt 226 bob 1000",
        SENT "/data2/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
        SENT "/dat/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
        SENT "/srv/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/plain.txt 226 ftp_ana_abcd 1000", /* beside the requests */
        SENT "/data/ftp_ana_abcd/uno 226 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/uno/ 226 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/_buzon/a 226 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/con%20espacio/a 226 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/../ftp_ben_abcd/uno/a 226 ftp_ana_abcd 1000",
        SENT "/data 226 ftp_ana_abcd 1000",
    };
    LogLine l;

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (parse(cases[i], &l) != -ENOENT)
            fail_msg("%d for %s", parse(cases[i], &l), cases[i]);
}

static void other_formats_are_known_as_such(void **state) {
    static const char *const cases[] = {
        "127.0.0.1 - ftp_ana_abcd [21/Nov/2026:16:02:39 -0500] \"GET /data/ftp_ana_abcd/uno/plain.txt\" 200 1000", /* clf */
        "1795294961 6b0206f1.24da ftp_ana_abcd 127.0.0.1 D 1000 0 /data/ftp_ana_abcd/uno/plain.txt",              /* stats */
        "Sat Nov 21 16:02:42 2026 0 127.0.0.1 1000 /data/ftp_ana_abcd/uno/plain.txt b _ o r ftp_ana_abcd ftp 1 * c", /* xferlog */
        "", " ", "x",
        SENT "/data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd",
        SENT "/data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd ",
        SENT "/data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000 ",
        SENT "/data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 5 1000", /* an account with a space */
        SENT "/data/ftp_ana_abcd/uno/plain.txt 226  ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/uno/plain.txt 426 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd -1",
        SENT "/data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000000000000001",
        SENT "/data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 100000000000000000000000000000",
        SENT "data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/uno/%2 226 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/uno/%zz 226 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd%2Funo/a 226 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/uno/\x01" "a 226 ftp_ana_abcd 1000", /* it would be %01 */
        SENT "/data/ftp_ana_abcd/uno/\xc3\xb1 226 ftp_ana_abcd 1000",
        SENT "/data/ftp_ana_abcd/uno/%00 226 ftp_ana_abcd 1000",
        WHEN "127.0.0.1 []deleted /data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
        "2026-13-21 21:02:37 127.0.0.1 []sent /data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
        "2026-11-21 24:02:37 127.0.0.1 []sent /data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
        "2026-1x-21 21:02:37 127.0.0.1 []sent /data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
        "1926-11-21 21:02:37 127.0.0.1 []sent /data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
        "2026/11/21 21:02:37 127.0.0.1 []sent /data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
        WHEN "127.0.0.1\x01 []sent /data/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000",
    };
    LogLine l;

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (parse(cases[i], &l) != -EBADMSG)
            fail_msg("%d for %s", parse(cases[i], &l), cases[i]);
}

static void the_data_path_may_be_anywhere(void **state) {
    static const char deep[] = SENT "/srv/datos%20%C3%A9/a.b/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000";
    static const char top[] = SENT "/ftp_ana_abcd/uno/plain.txt 226 ftp_ana_abcd 1000";
    LogLine l;

    assert_int_equal(line_parse(deep, strlen(deep), "/srv/datos é/a.b", &l), 0);
    assert_string_equal(l.id, "uno");
    assert_int_equal(line_parse(top, strlen(top), "/", &l), 0);
    assert_int_equal(line_parse(deep, strlen(deep), "/srv", &l), -ENOENT);
}

static void names_that_are_too_long_are_nobodys(void **state) {
    char line[20000], name[6001];
    LogLine l;

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    snprintf(line, sizeof(line), SENT "/data/ftp_%s_abcd/uno/a 226 ftp_ana_abcd 1", name);
    assert_int_equal(parse(line, &l), -ENOENT);
    snprintf(line, sizeof(line), SENT "/data/ftp_ana_abcd/%s/a 226 ftp_ana_abcd 1", name);
    assert_int_equal(parse(line, &l), -ENOENT);
    snprintf(line, sizeof(line), SENT "/data/ftp_ana_abcd/uno/%s 226 ftp_ana_abcd 1", name);
    assert_int_equal(parse(line, &l), 0);
    snprintf(line, sizeof(line), SENT "/data/ftp_ana_abcd/uno/a 226 %s 1", name);
    assert_int_equal(parse(line, &l), -ENOENT);
    snprintf(line, sizeof(line), WHEN "%s []sent /data/ftp_ana_abcd/uno/a 226 ftp_ana_abcd 1", name);
    assert_int_equal(parse(line, &l), -EBADMSG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(downloads_are_read), cmocka_unit_test(others_lines_are_passed_over), cmocka_unit_test(other_formats_are_known_as_such),
        cmocka_unit_test(the_data_path_may_be_anywhere), cmocka_unit_test(names_that_are_too_long_are_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
