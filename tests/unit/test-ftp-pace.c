/* Rates: what moves in any stretch of time, late timers, rests, small files, shares. */
#include "ftpd/pace.h"

#include "basic/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define SECOND 1000000ULL

/* Moves as much as it may for `us` microseconds, its timers `late_us` late; `piece` is all there is to move at a time. */
static uint64_t move_for(Pace *p, uint64_t *now, uint64_t us, uint64_t late_us, size_t piece) {
    uint64_t end = *now + us, moved = 0, wait;

    while (*now < end) {
        size_t n = pace_allows(p, *now, piece, &wait);
        if (n == 0) {
            assert_true(wait > 0);
            *now += wait + late_us;
        } else {
            pace_moved(p, n);
            moved += n;
        }
    }
    return moved;
}

static void reaches_its_rate_and_never_more(void **state) {
    static const uint64_t rates[] = { 10000, 1000000, 12345678, 1000000000, 1000000000000 };
    static const uint64_t late[] = { 0, 1000, 7000, 19000 };

    for (size_t i = 0; i < ELEMENTS(rates); i++)
        for (size_t k = 0; k < ELEMENTS(late); k++) {
            Pace p = { .rate = rates[i] };
            uint64_t now = 5 * SECOND;
            pace_begin(&p, now);
            for (int quarter = 0; quarter < 40; quarter++) {
                uint64_t moved = move_for(&p, &now, SECOND / 4, late[k], SIZE_MAX);
                assert_true(moved <= rates[i] / 4 + rates[i] / 5); /* two slices and a late end */
            }
            pace_begin(&p, now);
            p.paid_us = now;
            uint64_t start = now, moved = move_for(&p, &now, 10 * SECOND, late[k], SIZE_MAX);
            double rate = (double) moved * SECOND / (double) (now - start);
            assert_true(rate < (double) rates[i] * 1.06 && rate > (double) rates[i] * 0.94);
        }
}

static void rest_is_no_credit(void **state) {
    Pace p = { .rate = 1000000 };
    uint64_t now = SECOND;

    pace_begin(&p, now);
    (void) move_for(&p, &now, SECOND, 0, SIZE_MAX);
    now += 3600 * SECOND;
    pace_begin(&p, now);
    assert_true(move_for(&p, &now, SECOND / 10, 0, SIZE_MAX) <= 100000 + 20000);
    now += 3600 * SECOND; /* in the middle of a transfer, the client slept */
    assert_true(move_for(&p, &now, SECOND / 10, 0, SIZE_MAX) <= 100000 + 2 * 20000);
}

static void small_files_cost_their_bytes(void **state) {
    Pace p = { .rate = 1000000 };
    uint64_t now = SECOND, wait, files = 0;

    while (now < 11 * SECOND) {
        pace_begin(&p, now);
        size_t n = pace_allows(&p, now, 1000, &wait);
        if (n == 0) {
            now += wait;
            continue;
        }
        pace_moved(&p, n);
        files++;
    }
    assert_in_range(files, 9900, 10100);
}

static void no_rate_is_no_limit(void **state) {
    Pace p = { 0 };
    uint64_t wait = 77;

    assert_true(pace_allows(&p, 5, SIZE_MAX, &wait) == SIZE_MAX);
    pace_moved(&p, UINT64_MAX);
    assert_true(pace_allows(&p, 5, SIZE_MAX, &wait) == SIZE_MAX);
}

static void low_rates_move_in_pieces(void **state) {
    Pace p = { .rate = 100 };
    uint64_t now = SECOND, wait;

    pace_begin(&p, now);
    assert_int_equal(pace_allows(&p, now, SIZE_MAX, &wait), PACE_SLICE_MIN);
    pace_moved(&p, PACE_SLICE_MIN);
    assert_int_equal(pace_allows(&p, now, 1, &wait), 0);
    assert_int_equal(wait, PACE_SLICE_MIN * SECOND / 100);
}

static void shares_are_equal(void **state) {
    assert_int_equal(pace_share(0, 5), 0);
    assert_int_equal(pace_share(1000, 0), 1000);
    assert_int_equal(pace_share(1000, 1), 1000);
    assert_int_equal(pace_share(1000, 3), 333);
    assert_int_equal(pace_share(2, 3), 1); /* never "no limit" */
    assert_int_equal(pace_lesser(0, 0), 0);
    assert_int_equal(pace_lesser(0, 7), 7);
    assert_int_equal(pace_lesser(7, 0), 7);
    assert_int_equal(pace_lesser(7, 5), 5);
    assert_int_equal(pace_lesser(5, 7), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reaches_its_rate_and_never_more), cmocka_unit_test(rest_is_no_credit),
        cmocka_unit_test(small_files_cost_their_bytes),    cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(low_rates_move_in_pieces),        cmocka_unit_test(shares_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
