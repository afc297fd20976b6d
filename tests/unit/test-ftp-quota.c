/* The books of a drop that several sessions fill: the bound is never below what may lie there. */
#include "ftpd/quota.h"

#include "basic/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MIB (1ULL << 20)

static Ledger counted(uint64_t bytes, uint64_t names) {
    Ledger l = { 0 };

    ledger_count_begin(&l, (Room) { 0 });
    ledger_count_end(&l, (Room) { bytes, names });
    return l;
}

static void assert_left(const Ledger *l, uint64_t limit, uint64_t bytes, uint64_t names) {
    Room left = ledger_left(l, limit);

    assert_int_equal(left.bytes, bytes);
    assert_int_equal(left.names, names);
}

static void what_is_granted_is_not_left(void **state) {
    Ledger l = counted(600, 10);

    assert_true(l.known && !l.loose);
    assert_left(&l, 1000, 400, USAGE_NAMES_MAX - 10);
    ledger_grant(&l, (Room) { 300, 1 });
    assert_left(&l, 1000, 100, USAGE_NAMES_MAX - 11);
    ledger_return(&l, (Room) { 50, 1 });
    assert_left(&l, 1000, 150, USAGE_NAMES_MAX - 10);
    assert_left(&l, 500, 0, USAGE_NAMES_MAX - 10); /* a smaller limit than what lies there */
}

static void a_count_does_not_forget_what_may_still_come(void **state) {
    Ledger l = counted(0, 0);

    ledger_grant(&l, (Room) { 500, 0 });
    ledger_count_begin(&l, (Room) { 200, 0 }); /* 300 of them are used up, 200 may be at any time */
    ledger_grant(&l, (Room) { 100, 1 });       /* and these may come before or after their file is counted */
    assert_left(&l, 1000, 400, USAGE_NAMES_MAX - 1); /* until it is over the old bound holds */
    ledger_return(&l, (Room) { 50, 0 });
    ledger_count_end(&l, (Room) { 300, 2 });
    assert_left(&l, 1000, 1000 - 300 - 250, USAGE_NAMES_MAX - 3);
    assert_true(l.loose); /* some may be counted twice */
    ledger_count_begin(&l, (Room) { 0 });
    ledger_count_end(&l, (Room) { 450, 3 });
    assert_left(&l, 1000, 550, USAGE_NAMES_MAX - 3);
    assert_false(l.loose);
}

static void what_is_removed_during_a_count_asks_for_another(void **state) {
    Ledger l = { 0 };

    ledger_count_begin(&l, (Room) { 0 });
    l.loose = true;
    ledger_count_end(&l, (Room) { 1000, 1 });
    assert_true(l.loose);
}

static void a_count_that_nobody_ends_changes_nothing(void **state) {
    Ledger l = counted(100, 1);

    ledger_count_begin(&l, (Room) { 0 });
    ledger_grant(&l, (Room) { 10, 0 });
    ledger_count_begin(&l, (Room) { 10, 0 });
    assert_left(&l, 200, 90, USAGE_NAMES_MAX - 1);
    ledger_count_end(&l, (Room) { 110, 1 });
    assert_left(&l, 200, 80, USAGE_NAMES_MAX - 1);
}

static void sums_do_not_wrap(void **state) {
    Ledger l = counted(UINT64_MAX, UINT64_MAX); /* it can't be counted */

    assert_left(&l, UINT64_MAX, 0, 0);
    ledger_grant(&l, (Room) { UINT64_MAX, UINT64_MAX });
    assert_left(&l, UINT64_MAX - 1, 0, 0);
    ledger_return(&l, (Room) { UINT64_MAX, UINT64_MAX });
    ledger_return(&l, (Room) { UINT64_MAX, UINT64_MAX });
    assert_left(&l, UINT64_MAX, 0, 0);
    l = counted(0, USAGE_NAMES_MAX + 1);
    assert_left(&l, 10, 10, 0);
}

static void portions_are_exact_where_there_is_little(void **state) {
    assert_int_equal(quota_portion(1000, 1000), 1000);
    assert_int_equal(quota_portion(1001, 1000), 1000);
    assert_int_equal(quota_portion(1000, 0), 0);
    assert_int_equal(quota_portion(1000, 1000 + 64 * MIB - 1), 1000);
    assert_int_equal(quota_portion(1000, 1000 + 64 * MIB), 1000 + MIB);
    assert_int_equal(quota_portion(0, 1 << 30), 16 * MIB);
    assert_int_equal(quota_portion(MIB, UINT64_MAX), 17 * MIB);
    assert_int_equal(quota_portion(UINT64_MAX, UINT64_MAX), UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_granted_is_not_left),
        cmocka_unit_test(a_count_does_not_forget_what_may_still_come),
        cmocka_unit_test(what_is_removed_during_a_count_asks_for_another),
        cmocka_unit_test(a_count_that_nobody_ends_changes_nothing),
        cmocka_unit_test(sums_do_not_wrap),
        cmocka_unit_test(portions_are_exact_where_there_is_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
