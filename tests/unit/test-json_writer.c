/* JSON out: commas, escapes, numbers, times. */
#include "basic/json_writer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void a_whole_answer(void **state) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    json_object_open(&w, NULL);
    json_string(&w, "status", "listo");
    json_integer(&w, "vigencia", 5);
    json_object_open(&w, "ftp");
    json_string(&w, "host", NULL);
    json_bool(&w, "tls", false);
    json_object_close(&w);
    json_array_open(&w, "lista");
    json_integer(&w, NULL, 1);
    json_null(&w, NULL);
    json_array_open(&w, NULL);
    json_array_close(&w);
    json_object_open(&w, NULL);
    json_object_close(&w);
    json_bool(&w, NULL, true);
    json_array_close(&w);
    json_time(&w, "expira", 1763724600);
    json_time(&w, "nunca", 0);
    json_fixed2(&w, "pct", 12.345);
    json_object_close(&w);
    assert_int_equal(b.error, 0);
    assert_string_equal(b.data, "{\"status\":\"listo\",\"vigencia\":5,\"ftp\":{\"host\":null,\"tls\":false},"
                                "\"lista\":[1,null,[],{},true],\"expira\":\"2025-11-21T11:30:00Z\",\"nunca\":null,\"pct\":12.35}");
}

static void escapes(void **state) {
    static const struct {
        const char *text, *json;
    } cases[] = {
        { "", "\"\"" },
        { "plain /~\x7f", "\"plain /~\x7f\"" },
        { "\"\\", "\"\\\"\\\\\"" },
        { "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
        { "\x01\x0b\x1f", "\"\\u0001\\u000b\\u001f\"" },
        { "Listo, tiene 5 días €😀", "\"Listo, tiene 5 días €😀\"" },
        { "\xff" "a", "\"\xEF\xBF\xBD" "a\"" },
        { "a\xe2\x82", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"" },
        { "\xed\xa0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
        { "a\nb\nc", "\"a\\nb\\nc\"" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_buffer_ Buffer b = { 0 };
        JsonWriter w = JSON_WRITER(&b);
        json_string(&w, NULL, cases[i].text);
        assert_string_equal(b.data, cases[i].json);
    }
}

static void numbers(void **state) {
    static const struct {
        int64_t value;
        const char *json;
    } integers[] = {
        { 0, "0" }, { -1, "-1" }, { 10, "10" }, { INT64_MAX, "9223372036854775807" }, { INT64_MIN, "-9223372036854775808" },
    };
    static const struct {
        double value;
        const char *json;
    } fixed[] = {
        { 0, "0.00" },        { 1, "1.00" },     { 0.005, "0.01" },   { 99.999, "100.00" }, { -0.5, "-0.50" },
        { -0.001, "0.00" },   { 0.07, "0.07" },  { 12345678.9, "12345678.90" }, { NAN, "null" },      { INFINITY, "null" },
        { 1e300, "null" },
    };

    for (size_t i = 0; i < ELEMENTS(integers); i++) {
        _cleanup_buffer_ Buffer b = { 0 };
        JsonWriter w = JSON_WRITER(&b);
        json_integer(&w, NULL, integers[i].value);
        assert_string_equal(b.data, integers[i].json);
    }
    for (size_t i = 0; i < ELEMENTS(fixed); i++) {
        _cleanup_buffer_ Buffer b = { 0 };
        JsonWriter w = JSON_WRITER(&b);
        json_fixed2(&w, NULL, fixed[i].value);
        assert_string_equal(b.data, fixed[i].json);
    }
}

static void errors_stick_in_the_buffer(void **state) {
    _cleanup_buffer_ Buffer b = { .max = 10 };
    JsonWriter w = JSON_WRITER(&b);

    json_string(&w, NULL, "more than ten bytes");
    assert_true(b.error < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_answer),
        cmocka_unit_test(escapes),
        cmocka_unit_test(numbers),
        cmocka_unit_test(errors_stick_in_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
