/* Turns: one at a time for each name, the others in the order they came. */
#include "api/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MANY 100000

static int set_up(void **state) {
    return turns_new((Turns **) state);
}

static int tear_down(void **state) {
    turns_free(*state);
    return 0;
}

/* Whoever gets a turn writes down his letter. */
typedef struct Person {
    char letter;
    char *written;
} Person;

static void write_letter(void *userdata) {
    const Person *p = userdata;
    size_t n = strlen(p->written);

    p->written[n] = p->letter;
    p->written[n + 1] = '\0';
}

static void others_wait_in_the_order_they_came(void **state) {
    Turns *t = *state;
    char written[16] = "";
    Person a = { 'a', written }, b = { 'b', written }, c = { 'c', written };

    assert_int_equal(turns_take(t, "ana@b.org", write_letter, &a), 0);
    assert_string_equal(written, "a"); /* within the call */
    assert_int_equal(turns_take(t, "ana@b.org", write_letter, &b), 0);
    assert_int_equal(turns_take(t, "ana@b.org", write_letter, &c), 0);
    assert_string_equal(written, "a");
    turns_give_back(t, "ana@b.org");
    assert_string_equal(written, "ab");
    assert_true(turns_are_taken(t, "ana@b.org"));
    turns_give_back(t, "ana@b.org");
    assert_string_equal(written, "abc");
    turns_give_back(t, "ana@b.org");
    assert_false(turns_are_taken(t, "ana@b.org"));
}

static void names_do_not_wait_for_each_other(void **state) {
    Turns *t = *state;
    char written[16] = "";
    Person a = { 'a', written }, b = { 'b', written }, c = { 'c', written };

    assert_int_equal(turns_take(t, "ana@b.org", write_letter, &a), 0);
    assert_int_equal(turns_take(t, "ana@b.org ", write_letter, &b), 0);
    assert_int_equal(turns_take(t, "Ana@b.org", write_letter, &c), 0);
    assert_string_equal(written, "abc");
    turns_give_back(t, "Ana@b.org");
    assert_true(turns_are_taken(t, "ana@b.org"));
}

typedef struct Short {
    Turns *t;
    unsigned n;
} Short;

static void give_back_at_once(void *userdata) {
    Short *s = userdata;

    s->n++;
    turns_give_back(s->t, "x");
}

static void many_short_turns_do_not_pile_up(void **state) {
    Short s = { .t = *state };
    char written[16] = "";
    Person first = { 'a', written };

    assert_int_equal(turns_take(s.t, "x", write_letter, &first), 0);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(turns_take(s.t, "x", give_back_at_once, &s), 0);
    assert_int_equal(s.n, 0);
    turns_give_back(s.t, "x");
    assert_int_equal(s.n, MANY);
    assert_false(turns_are_taken(s.t, "x"));
}

static void take_again(void *userdata) {
    Short *s = userdata;

    if (++s->n < 5) {
        assert_int_equal(turns_take(s->t, "x", take_again, s), 0);
        turns_give_back(s->t, "x");
    }
}

static void a_turn_can_be_asked_for_within_one(void **state) {
    Short s = { .t = *state };

    assert_int_equal(turns_take(s.t, "x", take_again, &s), 0);
    assert_int_equal(s.n, 5);
    assert_true(turns_are_taken(s.t, "x"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(others_wait_in_the_order_they_came, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_do_not_wait_for_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_short_turns_do_not_pile_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_turn_can_be_asked_for_within_one, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
