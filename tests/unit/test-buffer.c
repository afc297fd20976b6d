/* A growing byte string: what is appended comes out, limits hold, errors stick. */
#include "basic/buffer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void appends(void **state) {
    _cleanup_buffer_ Buffer b = { 0 };

    buffer_puts(&b, "a");
    buffer_append(&b, "\0b", 2);
    buffer_putc(&b, 'c');
    buffer_printf(&b, "%d-%s", 42, "x");
    buffer_append(&b, NULL, 0);
    assert_int_equal(b.error, 0);
    assert_int_equal(b.size, 8);
    assert_memory_equal(b.data, "a\0bc42-x", 9);
}

static void grows_far_past_its_first_size(void **state) {
    _cleanup_buffer_ Buffer b = { 0 };

    for (int i = 0; i < 100000; i++)
        buffer_printf(&b, "%05d", i);
    assert_int_equal(b.error, 0);
    assert_int_equal(b.size, 500000);
    assert_memory_equal(b.data + 5 * 12345, "12345", 5);
    assert_string_equal(b.data + 5 * 99999, "99999");
}

static void limit_sticks(void **state) {
    _cleanup_buffer_ Buffer b = { .max = 4 };

    buffer_puts(&b, "1234");
    assert_int_equal(b.error, 0);
    buffer_putc(&b, '5');
    assert_int_equal(b.error, -E2BIG);
    buffer_clear(&b);
    assert_int_equal(b.error, 0);
    assert_string_equal(b.data, "");
    buffer_printf(&b, "%s", "12345");
    assert_int_equal(b.error, -E2BIG);
    buffer_puts(&b, "1"); /* would fit, but half an answer is none */
    assert_int_equal(b.size, 0);
    assert_null(buffer_take(&b));
}

static void take_hands_on(void **state) {
    _cleanup_buffer_ Buffer b = { 0 };

    _cleanup_free_ char *empty = buffer_take(&b);
    assert_string_equal(empty, "");
    buffer_puts(&b, "text");
    _cleanup_free_ char *text = buffer_take(&b);
    assert_string_equal(text, "text");
    assert_null(b.data);
    buffer_puts(&b, "again");
    assert_string_equal(b.data, "again");
}

static void huge_sizes_are_refused(void **state) {
    _cleanup_buffer_ Buffer b = { 0 };

    buffer_puts(&b, "x");
    buffer_append(&b, "x", SIZE_MAX - 1);
    assert_int_equal(b.error, -E2BIG);
    assert_string_equal(b.data, "x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),      cmocka_unit_test(grows_far_past_its_first_size),
        cmocka_unit_test(limit_sticks), cmocka_unit_test(take_hands_on),
        cmocka_unit_test(huge_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
