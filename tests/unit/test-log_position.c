/* Positions in log files: they move from where they stand only, and come back from text as they went. */
#include "model/log_position.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define DIGEST_A "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DIGEST_B "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const LogPosition none;

static LogPosition position(uint64_t inode, uint64_t offset) {
    LogPosition p = { .device = 5, .inode = inode, .offset = offset, .newest = 1700000000 + offset };

    strcpy(p.digest, offset % 2 ? DIGEST_A : DIGEST_B);
    return p;
}

static void a_position_moves_from_where_it_stands(void **state) {
    LogPosition start = position(1, 10), next = position(1, 20), wrong = position(1, 11);
    LogPositions p = { 0 };

    assert_int_equal(log_positions_move(&p, &start, &next), -ESTALE);
    assert_int_equal(log_positions_move(&p, &none, &start), 0);
    assert_int_equal(log_positions_move(&p, &none, &next), -ESTALE); /* it has one */
    assert_int_equal(log_positions_move(&p, &wrong, &next), -ESTALE);
    wrong = start;
    strcpy(wrong.digest, DIGEST_A);
    assert_int_equal(log_positions_move(&p, &wrong, &next), -ESTALE);
    assert_int_equal(log_positions_move(&p, &start, &next), 0);
    assert_int_equal(log_positions_move(&p, &start, &next), -ESTALE); /* told twice */
    assert_int_equal(p.n, 1);
    assert_true(log_position_equals(&p.at[0], &next));
    assert_int_equal(log_positions_newest(&p), 1700000020);
}

static void a_copy_takes_its_originals_place(void **state) {
    LogPosition log = position(1, 10), other = position(2, 6), copy = position(2, 10);
    LogPositions p = { 0 };

    assert_int_equal(log_positions_move(&p, &none, &log), 0);
    assert_int_equal(log_positions_move(&p, &none, &other), 0);
    assert_int_equal(log_positions_move(&p, &log, &copy), 0); /* inode 2 was another file once */
    assert_int_equal(p.n, 1);
    assert_true(log_position_equals(&p.at[0], &copy));
    assert_int_equal(log_positions_move(&p, &none, &log), 0); /* the truncated one begins anew */
    assert_int_equal(p.n, 2);
}

static void the_file_that_stood_longest_gives_way(void **state) {
    LogPositions p = { 0 };

    for (uint64_t i = 1; i <= LOG_POSITIONS_MAX; i++) {
        LogPosition new = position(i, i);
        assert_int_equal(log_positions_move(&p, &none, &new), 0);
    }
    LogPosition first = position(1, 1), moved = position(1, 100), new = position(99, 1);
    assert_int_equal(log_positions_move(&p, &first, &moved), 0);
    assert_int_equal(log_positions_move(&p, &none, &new), 0);
    assert_int_equal(p.n, LOG_POSITIONS_MAX);
    assert_int_equal(p.at[0].inode, 3);
    assert_true(log_position_equals(&p.at[LOG_POSITIONS_MAX - 2], &moved));
    assert_true(log_position_equals(&p.at[LOG_POSITIONS_MAX - 1], &new));
}

static void text_and_back(void **state) {
    char text[LOG_POSITIONS_TEXT_SIZE], again[LOG_POSITIONS_TEXT_SIZE];
    LogPositions p = { 0 }, q;

    log_positions_format(&p, text);
    assert_string_equal(text, "");
    assert_int_equal(log_positions_parse(text, &q), 0);
    assert_int_equal(q.n, 0);
    for (uint64_t i = 1; i <= LOG_POSITIONS_MAX; i++) { /* the longest there can be */
        LogPosition new = position(INT64_MAX - i, INT64_MAX);
        new.device = new.newest = INT64_MAX;
        assert_int_equal(log_positions_move(&p, &none, &new), 0);
    }
    log_positions_format(&p, text);
    assert_int_equal(log_positions_parse(text, &q), 0);
    assert_int_equal(q.n, LOG_POSITIONS_MAX);
    for (size_t i = 0; i < q.n; i++)
        assert_true(log_position_equals(&q.at[i], &p.at[i]));
    log_positions_format(&q, again);
    assert_string_equal(text, again);
}

static void other_texts_are_refused(void **state) {
    static const char *const cases[] = {
        "x", "1:2:3:4", "1:2:3:4:", "1:2:3:4:" DIGEST_A ":5", "1:0:3:4:" DIGEST_A, "-1:2:3:4:" DIGEST_A, "1:2:9223372036854775808:4:" DIGEST_A,
        "1:2:3:4:" DIGEST_A "0", "1:2:3:4:E" DIGEST_A, "1:2:3:4:" DIGEST_A ",1:2:9:9:" DIGEST_A, "1:2:3:4:" DIGEST_A ",x",
        "1:2:3:4:zzb0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    };
    LogPositions p = { .n = 7 };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (log_positions_parse(cases[i], &p) != -EINVAL || p.n != 7)
            fail_msg("taken: %s", cases[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_moves_from_where_it_stands), cmocka_unit_test(a_copy_takes_its_originals_place),
        cmocka_unit_test(the_file_that_stood_longest_gives_way), cmocka_unit_test(text_and_back), cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
