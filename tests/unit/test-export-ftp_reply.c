/* What FTP servers answer, and what it means for an upload. */
#include "export/ftp_reply.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static FtpReply reply(const char *line) {
    FtpReply r = { 0 };

    ftp_reply_take(&r, line, strlen(line));
    return r;
}

static void the_last_line_counts(void **state) {
    FtpReply r = reply("226-File successfully transferred\r\n");

    assert_int_equal(r.code, 0);
    ftp_reply_take(&r, " 226 of no reply\r\n", 17);
    assert_int_equal(r.code, 0);
    ftp_reply_take(&r, "226 0.000 seconds\r\n", 19);
    assert_int_equal(r.code, 226);
    assert_string_equal(r.text, "226 0.000 seconds");
    ftp_reply_take(&r, "55", 2);
    ftp_reply_take(&r, "", 0);
    assert_int_equal(r.code, 226);
}

static void the_first_line_of_a_refusal_says_why(void **state) {
    FtpReply r = reply("451-Error: No space left on device\r\n");

    assert_int_equal(r.code, 451);
    ftp_reply_take(&r, "451 0.036 seconds\r\n", 19);
    assert_string_equal(r.text, "451-Error: No space left on device");
    ftp_reply_take(&r, "550 another\r\n", 13);
    assert_string_equal(r.text, "550 another");
}

static void sizes(void **state) {
    static const struct {
        const char *line;
        int r;
        uint64_t size;
    } cases[] = {
        { "213 4294967297\r\n", 0, UINT64_C(4294967297) }, { "213 0", 0, 0 },          { "213 ", -ENOENT, 0 },
        { "213 x", -ENOENT, 0 },                           { "550 213 7", -ENOENT, 0 }, { "213 99999999999999999999999", -ENOENT, 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        FtpReply r = reply(cases[i].line);
        uint64_t size = 0;

        if (ftp_reply_size(&r, &size) != cases[i].r || size != cases[i].size)
            fail_msg("%s", cases[i].line);
    }
}

static void causes(void **state) {
    static const struct {
        const char *line;
        ExportCause cause;
    } cases[] = {
        { "552 Disk full - please upload later", EXPORT_SPACE }, { "452 x", EXPORT_SPACE },  { "451 No space left on device", EXPORT_SPACE },
        { "451-Error during write to file", EXPORT_SPACE }, { "451 Failure writing to local file.", EXPORT_SPACE }, { "550 Over quota", EXPORT_SPACE },                      { "421 Too many", EXPORT_BUSY }, { "530 Login incorrect.", EXPORT_LOGIN },
        { "426 gone", EXPORT_CONNECTION_LOST },                  { "553 Could not create file.", EXPORT_WRITE }, { "226 quota", EXPORT_WRITE },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        FtpReply r = reply(cases[i].line);
        if (ftp_reply_cause(&r, EXPORT_WRITE) != cases[i].cause)
            fail_msg("%s", cases[i].line);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_line_counts),
        cmocka_unit_test(the_first_line_of_a_refusal_says_why),
        cmocka_unit_test(sizes),
        cmocka_unit_test(causes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
