/* api/credentials: whom systemd asks for, from the abstract name of its socket. */
#include "api/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name; /* '@' stands for the leading NUL */
    const char *unit, *credential;
} cases[] = {
    { "@d4f067f8caa2e94b/unit/tempoftp-transfer-demo.service/run", "tempoftp-transfer-demo.service", "run" },
    { "@0/unit/a/b", "a", "b" },
    { "@0/unit/tempoftp-transfer-a.b-c.service/run", "tempoftp-transfer-a.b-c.service", "run" },
    { "@0/unit//run", NULL, NULL },
    { "@0/unit/a/", NULL, NULL },
    { "@0/unit/a", NULL, NULL },
    { "@0/unit/a/b/c", NULL, NULL },
    { "@0/units/a/b", NULL, NULL },
    { "/run/x.sock", NULL, NULL },
    { "@", NULL, NULL },
    { "", NULL, NULL },
};

static void names(void **state) {
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char name[200], unit[100], credential[32];
        size_t size = strlen(cases[i].name);
        memcpy(name, cases[i].name, size);
        if (size > 0 && name[0] == '@')
            name[0] = '\0';
        int r = credentials_parse_peer(name, size, unit, sizeof(unit), credential, sizeof(credential));
        if (!cases[i].unit) {
            assert_true(r < 0);
            continue;
        }
        assert_int_equal(r, 0);
        assert_string_equal(unit, cases[i].unit);
        assert_string_equal(credential, cases[i].credential);
    }
}

static void embedded_nul_and_lengths(void **state) {
    char unit[8], credential[4];
    static const char nul[] = "\0x/unit/a\0b/run";

    assert_true(credentials_parse_peer(nul, sizeof(nul) - 1, unit, sizeof(unit), credential, sizeof(credential)) < 0);
    assert_true(credentials_parse_peer("\0x/unit/12345678/run", 20, unit, sizeof(unit), credential, sizeof(credential)) < 0);
    assert_true(credentials_parse_peer("\0x/unit/1234567/runs", 20, unit, sizeof(unit), credential, sizeof(credential)) < 0);
    assert_int_equal(credentials_parse_peer("\0x/unit/1234567/run", 19, unit, sizeof(unit), credential, sizeof(credential)), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(embedded_nul_and_lengths) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
