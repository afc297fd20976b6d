/* Prometheus' text format, line by line. */
#include "api/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void lines(void **state) {
    _cleanup_buffer_ Buffer b = { 0 };

    exposition_family(&b, "x_total", "counter", "What it is");
    exposition_integer(&b, "x_total", "", NULL, 7);
    exposition_integer(&b, "x_total", "", LABELS({ "a", "b" }, { "route", "/tmpftp/{}" }), UINT64_MAX);
    exposition_seconds(&b, "t", "_sum", LABELS({ "le", "0.5" }), 1000005);
    exposition_seconds(&b, "t", "_sum", NULL, 0);
    assert_string_equal(b.data, "# HELP x_total What it is\n"
                                "# TYPE x_total counter\n"
                                "x_total 7\n"
                                "x_total{a=\"b\",route=\"/tmpftp/{}\"} 18446744073709551615\n"
                                "t_sum{le=\"0.5\"} 1.000005\n"
                                "t_sum 0.000000\n");
}

static void hostile_values_stay_values(void **state) {
    _cleanup_buffer_ Buffer b = { 0 };

    exposition_integer(&b, "x", "", LABELS({ "a", "\"} 1\ny \\" }), 0);
    assert_string_equal(b.data, "x{a=\"\\\"} 1\\ny \\\\\"} 0\n");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(lines), cmocka_unit_test(hostile_values_stay_values) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
