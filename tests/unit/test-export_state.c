/* States of exports: each has a name, and two of them are not the end. */
#include "model/export_state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void states_have_names(void **state) {
    ExportState s = EXPORT_STATE_MAX;

    for (ExportState i = 0; i < EXPORT_STATE_MAX; i++) {
        assert_int_equal(export_state_parse(export_state_name(i), &s), 0);
        assert_int_equal(s, i);
        assert_int_equal(export_state_is_over(i), i != EXPORT_PENDIENTE && i != EXPORT_SUBIENDO);
    }
    assert_int_equal(export_state_parse("Listo", &s), -EINVAL);
    assert_null(export_state_name(EXPORT_STATE_MAX));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(states_have_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
