/* Figures, times and columns for people. */
#include "cli/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void figures(void **state) {
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = { { 0, "0 B" },           { 999, "999 B" },       { 1000, "1,0 kB" }, { 1999, "1,9 kB" }, { 999999, "999,9 kB" },
                  { 1000000, "1,0 MB" }, { 5368709120, "5,3 GB" }, { UINT64_MAX, "18,4 EB" } };
    static const struct {
        uint64_t seconds;
        const char *text;
    } times[] = { { 0, "0:00" }, { 7, "0:07" }, { 754, "12:34" }, { 3723, "1:02:03" }, { 360000, "más de 99 h" }, { UINT64_MAX, "más de 99 h" } };
    char text[TEXT_FIGURE_SIZE];

    for (size_t i = 0; i < ELEMENTS(sizes); i++) {
        text_bytes(sizes[i].bytes, text);
        assert_string_equal(text, sizes[i].text);
    }
    for (size_t i = 0; i < ELEMENTS(times); i++) {
        text_seconds(times[i].seconds, text);
        assert_string_equal(text, times[i].text);
    }
}

static void amounts_that_people_type(void **state) {
    static const struct {
        const char *text;
        int r;
        uint64_t bytes;
    } cases[] = { { "0", 0, 0 },          { "2000", 0, 2000 },      { "5k", 0, 5000 },   { "10G", 0, 10000000000 },
                  { "1T", 0, 1000000000000 }, { "9223372036854775807", 0, INT64_MAX }, { "9223372036854775808", -ERANGE, 0 },
                  { "9223373T", -ERANGE, 0 }, { "", -EINVAL, 0 },        { "G", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "1.5G", -EINVAL, 0 },
                  { "10g", -EINVAL, 0 },  { "10GB", -EINVAL, 0 },   { "1 G", -EINVAL, 0 } };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        uint64_t bytes = 0;
        assert_int_equal(text_parse_bytes(cases[i].text, &bytes), cases[i].r);
        assert_true(bytes == cases[i].bytes);
    }
}

static void times_of_the_wire(void **state) {
    char text[TEXT_FIGURE_SIZE];

    text_time("2026-11-21T11:30:00Z", text);
    assert_string_equal(text, "2026-11-21 11:30:00 UTC");
    text_time(NULL, text);
    assert_string_equal(text, "-");
    text_time("something else that is far too long for it", text);
    assert_int_equal(strlen(text), TEXT_FIGURE_SIZE - 1);
}

static void columns_line_up(void **state) {
    _cleanup_table_ TextTable t;
    char out[512] = "";
    static const char *const cells[] = { "ID", "DÍAS", "RUTA", "año", "5", "h:/\x1b[2J", "b", NULL, "h:/b" };

    text_table_init(&t, 3);
    for (size_t i = 0; i < ELEMENTS(cells); i++)
        text_table_add(&t, cells[i]);
    FILE *to = fmemopen(out, sizeof(out), "w");
    text_table_print(&t, to);
    fclose(to);
    assert_int_equal(t.error, 0);
    assert_string_equal(out, "ID   DÍAS  RUTA\naño  5     h:/?[2J\nb    -     h:/b\n");
}

static void labels_line_up(void **state) {
    char out[128] = "";
    FILE *to = fmemopen(out, sizeof(out), "w");

    text_label(to, "Contraseña");
    text_label(to, "Id");
    text_label(to, "A very long label indeed");
    fclose(to);
    assert_string_equal(out, "Contraseña:    Id:            A very long label indeed: ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures), cmocka_unit_test(amounts_that_people_type),
        cmocka_unit_test(times_of_the_wire),
        cmocka_unit_test(columns_line_up),
        cmocka_unit_test(labels_line_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
