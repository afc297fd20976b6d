/* Sessions as lines: what is written is read back, and nothing else is read. */
#include "model/session_line.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_line_is_read_back(void **state) {
    _cleanup_buffer_ Buffer b = { 0 };
    SessionLine s = { .pid = 7, .since = 1700000000, .sent = 5, .size = 10, .account = "ftp_ana_abcd", .peer = "2001:db8::1", .folder = "/p 1",
                      .file = "/p 1/Regi\xc3\xb3n\t100%\n\xff.nc" };
    SessionLine back;

    session_line_format(&s, &b);
    assert_string_equal(b.data, "7\t1700000000\t5\t10\tftp_ana_abcd\t2001:db8::1\t/p%201\t/p%201/Regi%C3%B3n%09100%25%0A%FF.nc\n");
    b.data[b.size - 1] = '\0';
    assert_int_equal(session_line_parse(b.data, &back), 0);
    assert_int_equal(back.pid, 7);
    assert_int_equal(back.since, 1700000000);
    assert_int_equal(back.sent, 5);
    assert_int_equal(back.size, 10);
    assert_string_equal(back.account, s.account);
    assert_string_equal(back.peer, s.peer);
    assert_string_equal(back.folder, s.folder);
    assert_string_equal(back.file, s.file);
}

static void other_lines_are_refused(void **state) {
    static const char *const lines[] = {
        "", "7", "7\t0\t0\t0\ta\tb\tc", "7\t0\t0\t0\ta\tb\tc\td\te", "0\t0\t0\t0\ta\tb\tc\td", "-7\t0\t0\t0\ta\tb\tc\td",
        "2147483648\t0\t0\t0\ta\tb\tc\td", "7\t0\t0\t9223372036854775808\ta\tb\tc\td", "7\t0\t0\t0\ta b\tb\tc\td", "7\t0\t0\t0\ta\tb\tc\t%",
        "7\t0\t0\t0\ta\tb\tc\t%0", "7\t0\t0\t0\ta\tb\tc\t%00", "7\t0\t0\t0\ta\tb\tc\t%zz", "7\t0\t0\t0\ta\tb\tc\t\xc3\xb3",
        "7\t0\t0\t0\tftp_0123456789012345678901234567890123456789012345\tb\tc\td",
    };

    for (size_t i = 0; i < ELEMENTS(lines); i++) {
        _cleanup_free_ char *line = strdup(lines[i]);
        SessionLine s;
        if (session_line_parse(line, &s) != -EINVAL)
            fail_msg("'%s' passed", lines[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_line_is_read_back), cmocka_unit_test(other_lines_are_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
