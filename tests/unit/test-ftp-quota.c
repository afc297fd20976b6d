/* How much still fits into a drop. */
#include "ftpd/quota.h"

#include "basic/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void no_limit_is_no_limit(void **state) {
    Quota q = { 0 };

    quota_resized(&q, 0, UINT64_MAX - 1);
    quota_resized(&q, 0, UINT64_MAX);
    q.names = UINT64_MAX;
    quota_named(&q);
    assert_int_equal(q.names, UINT64_MAX);
    assert_int_equal(quota_left(&q), UINT64_MAX);
    assert_true(quota_has_room_for_name(&q));
}

static void what_is_used_is_not_left(void **state) {
    Quota q = { .limit = 1000 };

    quota_resized(&q, 0, 600);
    assert_int_equal(quota_left(&q), 400);
    quota_resized(&q, 600, 100);
    assert_int_equal(quota_left(&q), 900);
    quota_resized(&q, 100, 5000);
    assert_int_equal(quota_left(&q), 0);
    assert_false(quota_has_room_for_name(&q));
    quota_resized(&q, 9000, 0); /* more than was counted: somebody else's file */
    assert_int_equal(quota_left(&q), 1000);
    quota_resized(&q, 0, UINT64_MAX);
    quota_resized(&q, 0, UINT64_MAX);
    assert_int_equal(quota_left(&q), 0);
}

static void names_have_a_limit_too(void **state) {
    Quota q = { .limit = 1000, .names = USAGE_NAMES_MAX - 1 };

    assert_true(quota_has_room_for_name(&q));
    quota_named(&q);
    assert_false(quota_has_room_for_name(&q));
    quota_unnamed(&q);
    assert_true(quota_has_room_for_name(&q));
    q.names = 0;
    quota_unnamed(&q);
    assert_int_equal(q.names, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_limit_is_no_limit),
        cmocka_unit_test(what_is_used_is_not_left),
        cmocka_unit_test(names_have_a_limit_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
