/* The order in which files go out: RAR sets by their volumes, everything else by name. */
#include "export/order.h"

#include "basic/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static int compare(const void *a, const void *b) {
    return order_compare(*(const char *const *) a, *(const char *const *) b);
}

/* Sorted from back to front and from the middle, too. */
static void assert_order(const char *const *wanted, size_t n) {
    const char *names[32];

    for (size_t turn = 0; turn < n; turn++) {
        for (size_t i = 0; i < n; i++)
            names[i] = wanted[(n - 1 - i + turn) % n];
        qsort(names, n, sizeof(names[0]), compare);
        for (size_t i = 0; i < n; i++)
            assert_string_equal(names[i], wanted[i]);
    }
}
#define ASSERT_ORDER(...)                                                                                  \
    do {                                                                                                   \
        static const char *const wanted_[] = { __VA_ARGS__ };                                              \
        assert_order(wanted_, ELEMENTS(wanted_));                                                          \
    } while (false)

static void the_old_way(void **state) {
    ASSERT_ORDER("x.rar", "x.r00", "x.r01", "x.r09", "x.r10", "x.r99", "x.s00", "x.s01", "x.z99");
    ASSERT_ORDER("X.RAR", "X.R00", "X.r01", "X.S00");
    ASSERT_ORDER("a.rar", "a.r00", "b.rar", "b.r00");
}

static void the_new_way(void **state) {
    ASSERT_ORDER("x.part1.rar", "x.part2.rar", "x.part9.rar", "x.part10.rar", "x.part11.rar", "x.part100.rar");
    ASSERT_ORDER("x.part01.rar", "x.part02.rar", "x.part10.rar");
    ASSERT_ORDER("x.Part1.RAR", "x.PART2.rar");
    ASSERT_ORDER("x.part1.rar", "x.part2.rar", "x.rar", "x.r00"); /* two sets of one name */
}

static void others_by_name(void **state) {
    ASSERT_ORDER("a", "a.txt", "b.nfo", "c.r0", "c.r000", "d.rarx", "é");
    ASSERT_ORDER("a.nfo", "a.rar", "a.r00", "a.sfv");
    ASSERT_ORDER("a/b/c.rar", "a/b/c.r00", "a/b.txt", "b/a.rar", "b/a.r00");
    ASSERT_ORDER("x.r00/a", "x.rar/a"); /* folders have names only */
    ASSERT_ORDER(".rar", "r00", "x.part.rar", "x.part99999999999.rar");
    assert_int_equal(order_compare("a/b", "a/b"), 0);
    assert_true(order_compare("a", "a/b") < 0);
}

static void sets(void **state) {
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        { "x.rar", "x.r00", true },          { "x.r00", "x.s00", true },       { "x.RAR", "x.r00", true },
        { "x.part1.rar", "x.part02.rar", true }, { "d/x.rar", "d/x.r00", true }, { "x.rar", "y.r00", false },
        { "d/x.rar", "e/x.r00", false },     { "x.rar", "d/x.r00", false },    { "x.part1.rar", "x.rar", false },
        { "x.txt", "x.txt", false },         { "x.r0", "x.rar", false },       { "X.rar", "x.r00", false },
        { "x.rar", "x.q00", false },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (order_same_set(cases[i].a, cases[i].b) != cases[i].same || order_same_set(cases[i].b, cases[i].a) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_way),
        cmocka_unit_test(the_new_way),
        cmocka_unit_test(others_by_name),
        cmocka_unit_test(sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
