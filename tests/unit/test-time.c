/* RFC 3339 out of seconds, compared with libc's own calendar over many centuries. */
#include "basic/time.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

static void known_moments(void **state) {
    static const struct {
        int64_t utc;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { -1, "1969-12-31T23:59:59Z" },
        { 951782400, "2000-02-29T00:00:00Z" },
        { 1763724600, "2025-11-21T11:30:00Z" },
        { 4107542399, "2100-02-28T23:59:59Z" },
        { 4107542400, "2100-03-01T00:00:00Z" },
        { -62167219200, "0000-01-01T00:00:00Z" },
        { 253402300799, "9999-12-31T23:59:59Z" },
        { INT64_MIN, "0000-01-01T00:00:00Z" }, /* clamped */
        { INT64_MAX, "9999-12-31T23:59:59Z" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char text[RFC3339_SIZE];
        rfc3339_format(cases[i].utc, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void agrees_with_libc(void **state) {
    for (int64_t utc = -62167219200; utc <= 253402300799; utc += 5000011) {
        char ours[RFC3339_SIZE], theirs[32];
        time_t t = utc;
        struct tm tm;
        gmtime_r(&t, &tm);
        strftime(theirs, sizeof(theirs), "-%m-%dT%H:%M:%SZ", &tm);
        rfc3339_format(utc, ours);
        assert_string_equal(ours + 4, theirs);
        assert_int_equal((ours[0] - '0') * 1000 + (ours[1] - '0') * 100 + (ours[2] - '0') * 10 + ours[3] - '0', tm.tm_year + 1900);
    }
}

static void what_is_written_is_read(void **state) {
    for (int64_t utc = -62135596800; utc <= 253402300799; utc += 5000011) { /* year 1 on */
        char text[RFC3339_SIZE];
        int64_t back;
        bool day;

        rfc3339_format(utc, text);
        assert_int_equal(rfc3339_parse(text, &back, &day), 0);
        assert_true(back == utc && !day);
        text[10] = '\0';
        assert_int_equal(rfc3339_parse(text, &back, &day), 0);
        assert_true(back <= utc && utc - back < 86400 && back % 86400 == 0 && day);
    }
}

static void what_is_no_time_is_refused(void **state) {
    static const char *const texts[] = {
        "", "2026", "2026-11", "2026-11-2", "2026-11-22T", "2026-11-22T10:00", "2026-11-22T10:00:00", "2026-11-22T10:00:00z", "2026-11-22 10:00:00Z",
        "2026-11-22T10:00:00+00:00", "2026-11-22T10:00:00.0Z", "2026-11-22T10:00:00Zx", "2026-00-22", "2026-13-22", "2026-11-00", "2026-11-31", "2026-02-29",
        "2100-02-29", "0000-01-01", "2026-11-22T24:00:00Z", "2026-11-22T10:60:00Z", "2026-11-22T10:00:60Z", "-026-11-22", "2026-1a-22", " 2026-11-22",
    };
    int64_t utc = 5;

    for (size_t i = 0; i < ELEMENTS(texts); i++)
        assert_int_equal(rfc3339_parse(texts[i], &utc, NULL), -EINVAL);
    assert_true(utc == 5);
    assert_int_equal(rfc3339_parse("2024-02-29", &utc, NULL), 0);
    assert_true(utc == 1709164800);
}

static void clocks_run(void **state) {
    uint64_t before = monotonic_ms();
    struct timespec pause = { .tv_nsec = 3000000 };

    nanosleep(&pause, NULL);
    assert_true(monotonic_ms() >= before + 2);
    assert_true(utc_now() >= time(NULL) - 1 && utc_now() <= time(NULL) + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments),
        cmocka_unit_test(agrees_with_libc),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
