/* JSON as Python shows it. The right-hand sides are what Python 3.11 prints for the same value. */
#include "cli/python_repr.h"

#include "basic/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void free_json(json_t **value) {
    json_decref(*value);
}

static void check(const char *json, const char *expected) {
    _cleanup_(free_json) json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    _cleanup_free_ char *text = NULL;
    size_t size;

    assert_non_null(value);
    FILE *to = open_memstream(&text, &size);
    python_repr(value, to);
    fclose(to);
    assert_string_equal(text, expected);
}

static void the_seeds_line(void **state) {
    check("{\"status\":\"listo\",\"usuario\":\"ftp_test.user_abcd\",\"password\":\"cleartextpassword123\","
          "\"mensaje\":\"Listo, tiene 5 días para hacer la descarga.\",\"vigencia\":5}",
          "{'status': 'listo', 'usuario': 'ftp_test.user_abcd', 'password': 'cleartextpassword123', "
          "'mensaje': 'Listo, tiene 5 días para hacer la descarga.', 'vigencia': 5}");
}

static void constants_and_containers(void **state) {
    check("null", "None");
    check("[true,false,null]", "[True, False, None]");
    check("{}", "{}");
    check("[]", "[]");
    check("{\"a\":{\"b\":[1,[2]]},\"c\":-7}", "{'a': {'b': [1, [2]]}, 'c': -7}");
}

static void quotes(void **state) {
    check("\"it's\"", "\"it's\"");
    check("\"say \\\"hi\\\"\"", "'say \"hi\"'");
    check("\"it's \\\"so\\\"\"", "'it\\'s \"so\"'");
    check("\"\"", "''");
    check("\"back\\\\slash\"", "'back\\\\slash'");
}

static void escapes(void **state) {
    check("\"a\\nb\\rc\\td\"", "'a\\nb\\rc\\td'");
    check("\"\\u0001\\u001b[31m\\u007f\"", "'\\x01\\x1b[31m\\x7f'");
    check("\"\\u0085\\u00a0\\u00ad\"", "'\\x85\\xa0\\xad'");     /* control, no-break space, soft hyphen */
    check("\"\\u2028\\u200b\\ufeff\"", "'\\u2028\\u200b\\ufeff'"); /* separators and format characters */
    check("\"\\ue000\\u0378\"", "'\\ue000\\u0378'");              /* private, unassigned */
    check("\"\\udb40\\udc01\"", "'\\U000e0001'");
    check("\"ñ € 漢 \\ud83d\\ude00\"", "'ñ € 漢 😀'");
}

static void real_numbers(void **state) {
    check("0.0", "0.0");
    check("-0.0", "-0.0");
    check("12.30", "12.3");
    check("0.1", "0.1");
    check("931.32", "931.32");
    check("100000.0", "100000.0");
    check("1e15", "1000000000000000.0");
    check("1e16", "1e+16");
    check("0.0001", "0.0001");
    check("0.00001", "1e-05");
    check("1.5e300", "1.5e+300");
    check("0.30000000000000004", "0.30000000000000004");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_line), cmocka_unit_test(constants_and_containers), cmocka_unit_test(quotes),
        cmocka_unit_test(escapes),        cmocka_unit_test(real_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
