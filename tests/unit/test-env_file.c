/* Settings files as systemd would read them: quotes, escapes, comments, odd lines. */
#include "model/env_file.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void values_of_a(void **state) {
    static const struct {
        const char *text, *value; /* of A; NULL: not there */
        size_t ignored;
    } cases[] = {
        { "A=1", "1", 0 },
        { "A=1\n", "1", 0 },
        { "A=1\r\n", "1", 0 },
        { "\n\n  A=1", "1", 0 },
        { "A=", "", 0 },
        { "A=\nB=2\n", "", 0 },
        { "A =  1 2  \nB=3", "1 2", 0 },
        { "#A=1\n;A=2\n", NULL, 0 },
        { "# comment\\\nA=1\nA=2\n", "2", 0 },       /* a comment goes on behind a backslash */
        { "# comment\\\nA=1\n", NULL, 0 },
        { "A=1 # no comment", "1 # no comment", 0 }, /* as systemd: only at the beginning of a line */
        { "A=1\nA=2", "2", 0 },
        { "A='x y'", "x y", 0 },
        { "A='x\\n\"y'", "x\\n\"y", 0 },
        { "A=\"x 'y\"", "x 'y", 0 },
        { "A=\"a\\\"b\\\\c\\$d\\`e\\nf\"", "a\"b\\c$d`e\\nf", 0 },
        { "A=\"a\\\nb\"", "ab", 0 },
        { "A=\"a\nb\"\nB=1", "a\nb", 0 },
        { "A='a\nb'", "a\nb", 0 },
        { "A=a\\\nb", "ab", 0 },
        { "A=a\\ ", "a ", 0 },
        { "A=a\\b", "ab", 0 },
        { "A=a\\", "a", 0 },
        { "A=\"x\"y", "xy", 0 },
        { "A=x\"  \"", "x  ", 0 },
        { "A=\"  x  \"  ", "  x  ", 0 },
        { "A=\"open", "open", 0 },
        { "A='open", "open", 0 },
        { "A==b=c", "=b=c", 0 },
        { "A=ñ€", "ñ€", 0 },
        { "A", NULL, 1 },
        { "just words\nA=1", "1", 1 },
        { "export A=1", NULL, 1 },
        { "1A=1\nA-B=2\n=3\nA=4", "4", 3 },
        { "", NULL, 0 },
        { " ", NULL, 0 },
        { "#", NULL, 0 },
        { "#\\", NULL, 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        size_t size = strlen(cases[i].text);
        _cleanup_free_ char *exact = malloc(size > 0 ? size : 1); /* no NUL behind it: a sanitizer sees what reads on */
        memcpy(exact, cases[i].text, size);
        _cleanup_(env_file_freep) EnvFile *e = NULL;
        assert_int_equal(env_file_parse(exact, size, &e), 0);
        if (!streq_null(env_file_get(e, "A"), cases[i].value))
            print_error("%s → %s\n", cases[i].text, env_file_get(e, "A"));
        assert_true(streq_null(env_file_get(e, "A"), cases[i].value));
        assert_int_equal(env_file_ignored(e), cases[i].ignored);
        assert_null(env_file_get(e, "Z"));
    }
}

static void limits(void **state) {
    _cleanup_free_ char *large = malloc(ENV_FILE_MAX + 1);
    EnvFile *e = NULL;

    memset(large, 'A', ENV_FILE_MAX + 1);
    assert_int_equal(env_file_parse(large, ENV_FILE_MAX + 1, &e), -E2BIG);
    assert_int_equal(env_file_parse("A=1\0", 4, &e), -EINVAL);
    assert_null(e);
    assert_int_equal(env_file_parse(large, ENV_FILE_MAX, &e), 0);
    assert_int_equal(env_file_ignored(e), 1);
    assert_null(env_file_free(e));
    assert_null(env_file_free(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(values_of_a), cmocka_unit_test(limits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
