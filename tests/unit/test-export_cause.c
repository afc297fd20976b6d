/* Causes of failed exports: each has a name of its own, and a sentence that a person can act on. */
#include "model/export_cause.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void causes_have_names(void **state) {
    ExportCause c = EXPORT_CAUSE_MAX;

    for (ExportCause i = 0; i < EXPORT_CAUSE_MAX; i++) {
        assert_non_null(export_cause_name(i));
        assert_int_equal(export_cause_parse(export_cause_name(i), &c), 0);
        assert_int_equal(c, i);
    }
    assert_int_equal(export_cause_parse("ok", &c), -EINVAL);
    assert_null(export_cause_name(EXPORT_CAUSE_MAX));
    assert_false(export_cause_is_retried(EXPORT_LOGIN));
    assert_true(export_cause_is_retried(EXPORT_CONNECTION_LOST));
}

static void messages_name_the_step(void **state) {
    char text[64];

    export_cause_message(EXPORT_CONNECT, "203.0.113.5:21", text, sizeof(text));
    assert_string_equal(text, "Conexión: el servidor no responde (203.0.113.5:21)");
    export_cause_message(EXPORT_SPACE, "", text, sizeof(text));
    assert_string_equal(text, "Espacio: el servidor no tiene espacio");
}

static void a_cut_leaves_whole_characters(void **state) {
    char text[200];

    for (size_t size = 1; size <= sizeof(text); size++) {
        export_cause_message(EXPORT_LOGIN, "ññññññññññññññññññññññññññññññññññññññ", text, size);
        assert_true(strlen(text) < size);
        assert_true(utf8_is_valid(text, strlen(text)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causes_have_names),
        cmocka_unit_test(messages_name_the_step),
        cmocka_unit_test(a_cut_leaves_whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
