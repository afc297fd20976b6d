/* Paths: what clients ask for, where it leads, and that nothing leads outside. */
#include "ftpd/path.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void resolves(void **state) {
    static const struct {
        const char *folder, *argument, *path;
    } cases[] = {
        { "/", NULL, "/" },
        { "/", "", "/" },
        { "/a", NULL, "/a" },
        { "/", "a", "/a" },
        { "/a", "b", "/a/b" },
        { "/a", "/b", "/b" },
        { "/a/b", "..", "/a" },
        { "/a/b", "../..", "/" },
        { "/a/b", "../../../../..", "/" },
        { "/a", "../b/./c//d/", "/b/c/d" },
        { "/", "/../../etc/passwd", "/etc/passwd" },
        { "/a", "...", "/a/..." },
        { "/a", "..b", "/a/..b" },
        { "/a", " con espacios ", "/a/ con espacios " },
        { "/", "////", "/" },
        { "/ab", "../a", "/a" },
    };
    char path[VIRTUAL_PATH_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(path_resolve(cases[i].folder, cases[i].argument, path), 0);
        assert_string_equal(path, cases[i].path);
    }
}

static void too_long_is_refused_and_leaves_the_output(void **state) {
    char path[VIRTUAL_PATH_MAX] = "before", name[VIRTUAL_PATH_MAX + 10];

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(path_resolve("/", name, path), -ENAMETOOLONG);
    assert_string_equal(path, "before");
    name[VIRTUAL_PATH_MAX - 2] = '\0'; /* with the slash and NUL it just fits */
    assert_int_equal(path_resolve("/", name, path), 0);
    assert_int_equal(strlen(path), VIRTUAL_PATH_MAX - 1);
    assert_int_equal(path_resolve("/a", name, path), -ENAMETOOLONG);
}

static void knows_whose_path_it_is(void **state) {
    char id[8];

    assert_true(path_is_within("/set1", "set1"));
    assert_true(path_is_within("/set1/a", "set1"));
    assert_false(path_is_within("/set10", "set1"));
    assert_false(path_is_within("/set1", "set10"));
    assert_false(path_is_within("/", "set1"));
    assert_false(path_is_within("", "set1"));
    assert_false(path_is_within("/set1", ""));
    path_first_component("/set1/a/b", id, sizeof(id));
    assert_string_equal(id, "set1");
    path_first_component("/", id, sizeof(id));
    assert_string_equal(id, "");
    path_first_component("/longer-than-that", id, sizeof(id));
    assert_string_equal(id, "longer-");
}

static void quotes(void **state) {
    char quoted[32];

    path_quote("/a\"b\"\"c", quoted);
    assert_string_equal(quoted, "/a\"\"b\"\"\"\"c");
}

static void globs(void **state) {
    static const struct {
        const char *pattern, *name;
        bool match;
    } cases[] = {
        { "*", "", true },        { "*", "a", true },          { "*.nc", "a.nc", true }, { "*.nc", "a.nc4", false }, { "a*b*c", "aXXbYYc", true },
        { "a*b*c", "aXXbYY", false }, { "?", "a", true },      { "?", "", false },       { "a?c", "abc", true },     { "abc", "abc", true },
        { "abc", "abcd", false }, { "**", "x", true },         { "*a", "aaa", true },    { "*ab", "aab", true },     { "", "", true },
        { "", "a", false },       { "a*", "b", false },
        { "[ab]", "b", true },    { "[ab]", "c", false },      { "[a-c]x", "bx", true }, { "[!a-c]x", "bx", false },  { "[^a]", "b", true },
        { "[]]", "]", true },     { "[a-]", "-", true },       { "[a", "[a", true },     { "[", "[", true },          { "x[", "x", false },
        { "*[0-9].nc", "a1b2.nc", true }, { "[\xe0-\xff]", "\xf1", true }, { "[!]", "[!]", true }, { "[a]", "", false }, { "*[!0-9]", "a1", false },
    };
    char many[201], name[1001];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(glob_match(cases[i].pattern, cases[i].name), cases[i].match);

    /* what makes backtracking matchers run for ever */
    for (size_t i = 0; i < sizeof(many) - 1; i++)
        many[i] = i % 2 ? '*' : 'a';
    many[sizeof(many) - 1] = '\0';
    many[sizeof(many) - 2] = 'b';
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_false(glob_match(many, name));
}

/* A home with everything that could lead out of it. */
static int make_home(char *root) {
    assert_non_null(mkdtemp(root));
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(mkdirat(fd, "home", 0700), 0);
    assert_int_equal(mkdirat(fd, "other", 0700), 0);
    int home = openat(fd, "home", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int secret = openat(fd, "other/secret", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int file = openat(home, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(home >= 0 && secret >= 0 && file >= 0);
    assert_int_equal(mkdirat(home, "sub", 0700), 0);
    assert_int_equal(symlinkat("../file", home, "sub/inside"), 0);
    assert_int_equal(symlinkat("../other/secret", home, "up"), 0);
    assert_int_equal(symlinkat("/etc/passwd", home, "absolute"), 0);
    assert_int_equal(symlinkat("../../other", home, "sub/dir"), 0);
    assert_int_equal(symlinkat("/proc/self/root", home, "magic"), 0);
    assert_int_equal(symlinkat("loop", home, "loop"), 0);
    close(fd);
    close(secret);
    close(file);
    return home;
}

static void opens_beneath_only(void **state) {
    static const struct {
        const char *path;
        int error;
    } cases[] = {
        { "/", 0 },          { "/file", 0 },           { "/sub/inside", 0 },       { "/nothing", ENOENT }, { "/up", EXDEV },
        { "/absolute", EXDEV }, { "/sub/dir/secret", EXDEV }, { "/magic/etc/passwd", EXDEV }, { "/loop", ELOOP },     { "/../other/secret", EXDEV },
        { "/file/x", ENOTDIR },
    };
    char root[] = "/tmp/test-ftp-path-XXXXXX", command[64];
    int home = make_home(root);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = path_open(home, cases[i].path, O_RDONLY);
        assert_int_equal(fd < 0 ? -fd : 0, cases[i].error);
        if (fd >= 0) {
            assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
            close(fd);
        }
        fd = path_open(home, cases[i].path, O_PATH);
        assert_int_equal(fd < 0 ? -fd : 0, cases[i].error);
        if (fd >= 0)
            close(fd);
    }
    close(home);
    snprintf(command, sizeof(command), "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolves), cmocka_unit_test(too_long_is_refused_and_leaves_the_output), cmocka_unit_test(knows_whose_path_it_is),
        cmocka_unit_test(quotes),   cmocka_unit_test(globs),                                     cmocka_unit_test(opens_beneath_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
