/* The accounts of --users-file: what is read, what is refused and how it is named. */
#include "ftpd/users_file.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define HASH "$argon2id$v=19$m=512,t=1,p=1$8bgc+I8dWairlMe7M7XZiQ$K9teiAPqEdtCzNMDJ8B8Ug2IMIphA8Xms9kB8l466mI"
#define DEAR "$argon2id$v=19$m=65536,t=4,p=1$8bgc+I8dWairlMe7M7XZiQ$K9teiAPqEdtCzNMDJ8B8Ug2IMIphA8Xms9kB8l466mI"
#define NAME_16 "abcdefghijklmnop"
#define NAME_64 NAME_16 NAME_16 NAME_16 NAME_16

static UserTable table;

static int parse(const char *text, UsersFault *f) {
    table.n = 0;
    return users_file_parse(text, strlen(text), &table, f);
}

static void accounts_are_read(void **state) {
    UsersFault f;

    assert_int_equal(parse("# people\n"
                           "\n"
                           "ana:" HASH "\n"
                           "   \t\n"
                           "ben:" HASH ":ro\r\n"
                           "#caro:" HASH "\n"
                           "dora.x@example-1:" HASH ":rw\n"
                           NAME_64 ":" HASH ":rw:18446744073709551615\n"
                           "last:" HASH ":ro:0",
                           &f), 0);
    assert_int_equal(table.n, 5);
    static const struct {
        const char *name;
        bool writes;
        uint64_t quota;
    } expected[] = {
        { "ana", false, 0 }, { "ben", false, 0 }, { "dora.x@example-1", true, 0 }, { NAME_64, true, UINT64_MAX }, { "last", false, 0 },
    };
    for (size_t i = 0; i < ELEMENTS(expected); i++) {
        assert_string_equal(table.users[i].name, expected[i].name);
        assert_string_equal(table.users[i].hash, HASH);
        assert_int_equal(table.users[i].writes, expected[i].writes);
        assert_true(table.users[i].quota == expected[i].quota);
        assert_ptr_equal(users_find(&table, expected[i].name), &table.users[i]);
    }
    assert_null(users_find(&table, "an"));
    assert_null(users_find(&table, ""));
    assert_null(users_find(&table, "caro"));
}

static void nothing_is_no_account(void **state) {
    UsersFault f;

    assert_int_equal(parse("", &f), 0);
    assert_int_equal(table.n, 0);
    assert_int_equal(parse("# nobody\n\n", &f), 0);
    assert_int_equal(table.n, 0);
}

static void faults_name_their_line(void **state) {
    static const struct {
        const char *text;
        size_t line;
        const char *what;
    } cases[] = {
        { "ana", 1, "expected NAME:HASH" },
        { "\n\nana:" HASH "\nben\n", 4, "expected NAME:HASH" },
        { ":" HASH, 1, "a name is" },
        { "a b:" HASH, 1, "a name is" },
        { " ana:" HASH, 1, "a name is" },
        { "ñ:" HASH, 1, "a name is" },
        { "\xef\xbb\xbf" "ana:" HASH, 1, "a name is" },
        { NAME_64 "x:" HASH, 1, "a name is" },
        { "ana:secret", 1, "no Argon2id hash" },
        { "ana:", 1, "no Argon2id hash" },
        { "ana:" HASH "x y", 1, "no Argon2id hash" },
        { "ana:" HASH " ", 1, "no Argon2id hash" },
        { "ana:" DEAR, 1, "too dear, 65536 KiB × 4 passes; at most 4096" },
        { "ana:" HASH ":RW", 1, "'ro' or 'rw'" },
        { "ana:" HASH ":", 1, "'ro' or 'rw'" },
        { "ana:" HASH ":rw:", 1, "number of bytes" },
        { "ana:" HASH ":rw:10G", 1, "number of bytes" },
        { "ana:" HASH ":rw:-1", 1, "number of bytes" },
        { "ana:" HASH ":rw:18446744073709551616", 1, "number of bytes" },
        { "ana:" HASH ":rw:1:2", 1, "more than four fields" },
        { "ana:" HASH "\nana:" HASH, 2, "given before" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        UsersFault f;
        assert_int_equal(parse(cases[i].text, &f), -EINVAL);
        assert_int_equal(f.line, cases[i].line);
        if (!strstr(f.what, cases[i].what))
            fail_msg("'%s' instead of '%s' for '%s'", f.what, cases[i].what, cases[i].text);
        assert_null(strstr(f.what, "argon2id$"));
        assert_null(strstr(f.what, "secret"));
    }
}

static void long_lines_and_nul_bytes(void **state) {
    static const char nul[] = "ana:" HASH "\nb\0n:" HASH "\n";
    char line[5000];
    UsersFault f;

    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    assert_int_equal(parse(line, &f), -EINVAL);
    assert_int_equal(f.line, 1);
    line[0] = '#'; /* a comment may be long */
    assert_int_equal(parse(line, &f), 0);
    table.n = 0;
    assert_int_equal(users_file_parse(nul, sizeof(nul) - 1, &table, &f), -EINVAL);
    assert_int_equal(f.line, 2);
    assert_int_equal(table.n, 1);
}

static void accounts_have_a_limit(void **state) {
    char text[(USERS_MAX + 1) * (sizeof(HASH) + 16)], *end = text;
    UsersFault f;

    for (size_t i = 0; i < USERS_MAX; i++)
        end += sprintf(end, "u%zu:" HASH "\n", i);
    assert_int_equal(parse(text, &f), 0);
    assert_int_equal(table.n, USERS_MAX);
    sprintf(end, "more:" HASH "\n");
    assert_int_equal(parse(text, &f), -EINVAL);
    assert_int_equal(f.line, USERS_MAX + 1);
    assert_true(strlen(text) <= USERS_FILE_MAX);
}

static void names(void **state) {
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        { "a", true }, { "user", true }, { "ana@example.org", true }, { "a#", true }, { NAME_64, true }, { "~", true },
        { "", false }, { "#a", false }, { "a:", false }, { "a b", false }, { "a\t", false }, { "a\x7f", false }, { "\xc3\xb1", false }, { NAME_64 "x", false },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        assert_int_equal(user_name_is_valid(cases[i].name, strlen(cases[i].name)), cases[i].valid);
}

static int start(void **state) {
    table.users = calloc(USERS_MAX, sizeof(User));
    return table.users ? crypto_init() : -1;
}

static int end(void **state) {
    free(table.users);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_read), cmocka_unit_test(nothing_is_no_account), cmocka_unit_test(faults_name_their_line),
        cmocka_unit_test(long_lines_and_nul_bytes), cmocka_unit_test(accounts_have_a_limit), cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, start, end);
}
