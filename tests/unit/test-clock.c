/* model/clock: what jumps do to "now" and to purging. Each case is a list of readings. */
#include "model/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct Step {
    const char *boot;
    int64_t utc;
    uint64_t boot_s;
    bool synchronised;
    int64_t expect_now;
    bool expect_purge;
} Step;

static void play(const Step *steps, size_t n) {
    Clock c = { 0 };

    for (size_t i = 0; i < n; i++) {
        ClockReading r = { .utc = steps[i].utc, .boot_ms = steps[i].boot_s * 1000, .synchronised = steps[i].synchronised };
        strcpy(r.boot_id, steps[i].boot);
        assert_int_equal(clock_observe(&c, &r), steps[i].expect_now);
        assert_int_equal(clock_may_purge(&c), steps[i].expect_purge);
    }
}

#define PLAY(...)                                                                                                                          \
    do {                                                                                                                                   \
        static const Step steps[] = { __VA_ARGS__ };                                                                                       \
        play(steps, ELEMENTS(steps));                                                                                                      \
    } while (0)

static void time_that_passes_is_no_jump(void **state) {
    PLAY({ "a", 1000, 10, false, 1000, true }, { "a", 2000, 1010, false, 2000, true }, { "a", 92000, 91010, false, 92000, true });
}

static void a_small_adjustment_is_no_jump(void **state) {
    PLAY({ "a", 1000, 10, false, 1000, true }, { "a", 1000 + CLOCK_JUMP_SECONDS, 10, false, 1000 + CLOCK_JUMP_SECONDS, true });
}

static void a_jump_forward_closes_access_but_holds_purges(void **state) {
    PLAY({ "a", 1000, 10, false, 1000, true }, { "a", 901000, 20, false, 901000, false }, { "a", 901010, 30, false, 901010, false });
}

static void synchronised_time_releases_purges(void **state) {
    PLAY({ "a", 1000, 10, false, 1000, true }, { "a", 901000, 20, false, 901000, false }, { "a", 901010, 30, true, 901010, true });
}

static void a_jump_put_right_leaves_no_mark(void **state) {
    PLAY({ "a", 1000, 10, false, 1000, true }, { "a", 901000, 20, false, 901000, false }, { "a", 1020, 30, false, 1020, true });
}

static void backward_never_reopens(void **state) {
    PLAY({ "a", 100000, 10, false, 100000, true }, { "a", 5000, 20, false, 100000, true }, { "a", 100001, 30, true, 100001, true });
}

static void another_boot_is_another_scale(void **state) {
    PLAY({ "a", 1000, 900000, false, 1000, true }, { "b", 500000, 5, false, 500000, true });
}

static void text_round_trip(void **state) {
    Clock c = { .boot_id = "3b0c1c2e-1111-2222-3333-444455556666", .utc = 42, .anchor_utc = 41, .anchor_ms = 7, .jumped = true }, back;
    char text[CLOCK_TEXT_SIZE];

    clock_format(&c, text);
    assert_int_equal(clock_parse(text, &back), 0);
    assert_string_equal(back.boot_id, c.boot_id);
    assert_int_equal(back.utc, 42);
    assert_int_equal(back.anchor_ms, 7);
    assert_true(back.jumped);
    static const char *const bad[] = { "", "x", "b 1 2 3", "b -1 2 3 0", "b 1 2 3 2", "b one 2 3 0" };
    for (size_t i = 0; i < ELEMENTS(bad); i++)
        assert_true(clock_parse(bad[i], &back) < 0);
}

static void real_clocks_can_be_read(void **state) {
    ClockReading r;

    clock_read(&r);
    assert_int_equal(strlen(r.boot_id), 36);
    assert_true(r.utc > 1700000000);
    assert_true(r.boot_ms > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_that_passes_is_no_jump),
        cmocka_unit_test(a_small_adjustment_is_no_jump),
        cmocka_unit_test(a_jump_forward_closes_access_but_holds_purges),
        cmocka_unit_test(synchronised_time_releases_purges),
        cmocka_unit_test(a_jump_put_right_leaves_no_mark),
        cmocka_unit_test(backward_never_reopens),
        cmocka_unit_test(another_boot_is_another_scale),
        cmocka_unit_test(text_round_trip),
        cmocka_unit_test(real_clocks_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
