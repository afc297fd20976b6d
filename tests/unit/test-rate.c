/* Limits as settings write them, and windows under a clock that the test turns. */
#include "model/rate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void limits(void **state) {
    static const struct {
        const char *text;
        int r;
        uint32_t calls;
        uint64_t window_ms;
    } cases[] = {
        { "10/hour", 0, 10, 3600000 },    { "1/second", 0, 1, 1000 },   { "5/minute", 0, 5, 60000 },
        { "1000000000/day", 0, 1000000000, 86400000 },                  { "1000000001/day", -EINVAL, 0, 0 },
        { "0/hour", -EINVAL, 0, 0 },      { "-1/hour", -EINVAL, 0, 0 }, { "/hour", -EINVAL, 0, 0 },
        { "10", -EINVAL, 0, 0 },          { "10/", -EINVAL, 0, 0 },     { "10/hours", -EINVAL, 0, 0 },
        { "10/Hour", -EINVAL, 0, 0 },     { "10 / hour", -EINVAL, 0, 0 }, { "", -EINVAL, 0, 0 },
        { "9999999999999/hour", -EINVAL, 0, 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        RateLimit l = { 0 };
        assert_int_equal(rate_limit_parse(cases[i].text, &l), cases[i].r);
        assert_int_equal(l.calls, cases[i].calls);
        assert_true(l.window_ms == cases[i].window_ms);
    }
}

static void a_window(void **state) {
    const RateLimit limit = { .calls = 2, .window_ms = 1500 };
    RateWindow w = { 0 };
    uint32_t retry = 0;

    assert_true(rate_window_count(&w, &limit, 1000, &retry));
    assert_true(rate_window_count(&w, &limit, 1001, &retry));
    assert_int_equal(retry, 0);
    assert_false(rate_window_count(&w, &limit, 1000, &retry));
    assert_int_equal(retry, 2); /* 1500 ms, rounded up */
    assert_false(rate_window_count(&w, &limit, 1500, &retry));
    assert_int_equal(retry, 1); /* 1000 ms */
    assert_false(rate_window_count(&w, &limit, 2499, &retry));
    assert_int_equal(retry, 1);
    assert_true(rate_window_count(&w, &limit, 2500, &retry)); /* a new one: refused calls never counted */
    assert_true(rate_window_count(&w, &limit, 2500, &retry));
    assert_false(rate_window_count(&w, &limit, 2500, &retry));
}

static void odd_clocks(void **state) {
    const RateLimit limit = { .calls = 1, .window_ms = 1000 };
    RateWindow w = { 0 };
    uint32_t retry;

    assert_true(rate_window_count(&w, &limit, 0, &retry)); /* the very first millisecond still opens a window */
    assert_false(rate_window_count(&w, &limit, 1, &retry));
    w = (RateWindow) { .opened_ms = 5000, .calls = 1 };
    assert_true(rate_window_count(&w, &limit, 4000, &retry)); /* a reboot: the clock began anew */
    assert_false(rate_window_count(&w, &limit, 4001, &retry));
    w = (RateWindow) { .opened_ms = UINT64_MAX - 10, .calls = 1 };
    assert_false(rate_window_count(&w, &limit, UINT64_MAX, &retry));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(limits), cmocka_unit_test(a_window), cmocka_unit_test(odd_clocks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
