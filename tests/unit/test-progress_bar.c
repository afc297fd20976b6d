/* The progress line at many widths. */
#include "cli/progress_bar.h"

#include "cli/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define HALF { .bytes = 123456789, .total = 246913578, .percent = 50, .rate = 31457280, .left = 12 }
static const Progress half = HALF;

static void check(const char *state, const char *message, const Progress *p, size_t columns, const char *expected) {
    _cleanup_buffer_ Buffer line = {};
    progress_bar_render(state, message, p, columns, &line);
    assert_string_equal(line.data ? line.data : "", expected);
}

static void a_wide_terminal(void **state) {
    check("traslado", NULL, &half, 120,
          "traslado    [████████████████████░░░░░░░░░░░░░░░░░░░░]   50 %  123,4 MB de 246,9 MB  31,4 MB/s  faltan 0:12");
}

static void narrower_ones_lose_the_bar_the_time_and_the_rate(void **state) {
    check("traslado", NULL, &half, 70, "traslado     50 %  123,4 MB de 246,9 MB  31,4 MB/s  faltan 0:12");
    check("traslado", NULL, &half, 55, "traslado     50 %  123,4 MB de 246,9 MB  31,4 MB/s");
    check("traslado", NULL, &half, 20, "traslado     50 %  1");
    check("traslado", NULL, &half, 0, "");
}

static void never_wider_than_asked(void **state) {
    static const Progress cases[] = {
        HALF,
        { .bytes = UINT64_MAX, .total = UINT64_MAX, .percent = 100, .rate = UINT64_MAX, .left = UINT64_MAX - 1 },
        { .percent = 4000000000u, .left = UINT64_MAX },
    };
    for (size_t i = 0; i < ELEMENTS(cases); i++)
        for (size_t columns = 0; columns < 400; columns++) {
            _cleanup_buffer_ Buffer line = {};
            progress_bar_render("preparando", "x", &cases[i], columns, &line);
            assert_true(!line.data || text_width(line.data) <= columns);
        }
}

static void what_is_unknown_is_left_out(void **state) {
    check("traslado", NULL, &(Progress) { .bytes = 0, .total = 1000, .left = UINT64_MAX }, 80,
          "traslado    [░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░]    0 %  0 B de 1,0 kB");
    check("preparando", "Creando entorno y verificando espacio.", NULL, 30, "preparando  Creando entorno y ");
    check("recibido", NULL, NULL, 80, "recibido");
}

static void a_message_cannot_drive_the_terminal(void **state) {
    check("error", "rojo \x1b[31m\r\nñ\xff", NULL, 80, "error       rojo ?[31m??ñ?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_terminal),
        cmocka_unit_test(narrower_ones_lose_the_bar_the_time_and_the_rate),
        cmocka_unit_test(never_wider_than_asked),
        cmocka_unit_test(what_is_unknown_is_left_out),
        cmocka_unit_test(a_message_cannot_drive_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
