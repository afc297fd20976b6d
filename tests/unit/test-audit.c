/* Which rows of the trail a filter means. */
#include "model/audit.h"

#include "basic/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void filters(void **state) {
    static const AuditRow row = { .n = 7, .at = 1000, .actor = "user:ana@b.org", .address = "2001:db8::1", .action = "DELETE /tmpftp/{}", .target = "datos",
                                  .request_id = "call-1", .result = 200 },
                          bare = { .n = 8, .at = 1000, .actor = "tempoftpd", .address = "-", .action = "SETTING", .request_id = "-", .result = 200 };
    static const struct {
        AuditFilter filter;
        bool row, bare;
    } cases[] = {
        { { 0 }, true, true },
        { { .before_n = 3 }, true, true }, /* not the filter's business */
        { { .since = 1000 }, true, true },
        { { .since = 1001 }, false, false },
        { { .until = 1000 }, true, true },
        { { .until = 999 }, false, false },
        { { .actor = "user:ana@b.org" }, true, false },
        { { .actor = "ana@b.org" }, true, false },
        { { .actor = "user" }, false, false },
        { { .actor = "" }, false, false },
        { { .actor = "tempoftpd" }, false, true },
        { { .action = "DELETE /tmpftp/{}" }, true, false },
        { { .action = "DELETE" }, true, false },
        { { .action = "DELETE /tmpftp" }, false, false },
        { { .action = "DEL" }, false, false },
        { { .action = "" }, false, false },
        { { .action = "SETTING" }, false, true },
        { { .target = "datos" }, true, false },
        { { .target = "dato" }, false, false },
        { { .address = "2001:db8::1" }, true, false },
        { { .request_id = "call-1" }, true, false },
        { { .request_id = "call-1", .target = "datos", .actor = "ana@b.org", .since = 999, .until = 1001 }, true, false },
        { { .request_id = "call-1", .target = "otros" }, false, false },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        assert_int_equal(audit_filter_matches(&cases[i].filter, &row), cases[i].row);
        assert_int_equal(audit_filter_matches(&cases[i].filter, &bare), cases[i].bare);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(filters) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
