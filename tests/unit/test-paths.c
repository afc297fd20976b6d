/* Folders of a request, and lives read back from a folder's name. */
#include "model/paths.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

static void made(void **state) {
    char path[REL_PATH_SIZE];

    path_staging("a.b", 7, path);
    assert_string_equal(path, ".staging/a.b.7");
    path_blocked("a", 7, path);
    assert_string_equal(path, ".blocked/a.7");
    path_purge(X64, UINT64_MAX, path);
    assert_string_equal(path, ".purge/" X64 ".18446744073709551615");
    path_home("ftp_a_bcde", "i", path);
    assert_string_equal(path, "ftp_a_bcde/i");
    path_drop("ftp_a_bcde", path);
    assert_string_equal(path, "ftp_a_bcde/_buzon");
    path_drop_purge(X64, UINT64_MAX, path);
    assert_string_equal(path, ".purge/_buzon." X64 ".18446744073709551615");
    assert_false(id_is_valid(DROP_FOLDER)); /* or a request could stand in its place */
}

static void drops_are_read_back(void **state) {
    char id[ID_MAX + 1] = "";
    uint64_t life = 0;

    assert_int_equal(path_parse_drop("_buzon.a.b.7", id, &life), 0);
    assert_string_equal(id, "a.b");
    assert_true(life == 7);
    assert_int_equal(path_parse_drop("a.7", id, &life), -EINVAL);
    assert_int_equal(path_parse_drop("_buzon", id, &life), -EINVAL);
    assert_int_equal(path_parse_drop("_buzon.7", id, &life), -EINVAL);
    assert_int_equal(path_parse_drop("_buzon._buzon.a.7", id, &life), -EINVAL);
    assert_int_equal(path_parse_life("_buzon.a.7", id, &life), -EINVAL);
}

static void read_back(void **state) {
    static const struct {
        const char *name;
        int r;
        const char *id;
        uint64_t life;
    } cases[] = {
        { "a.7", 0, "a", 7 },
        { "a.b.7", 0, "a.b", 7 },
        { "1.2", 0, "1", 2 },
        { "a.0", 0, "a", 0 },
        { X64 ".18446744073709551615", 0, X64, UINT64_MAX },
        { "a.18446744073709551616", -EINVAL, "", 0 },
        { "a.07", -EINVAL, "", 0 },
        { "a.", -EINVAL, "", 0 },
        { ".7", -EINVAL, "", 0 },
        { "a", -EINVAL, "", 0 },
        { "", -EINVAL, "", 0 },
        { "..", -EINVAL, "", 0 },
        { "a..7", 0, "a.", 7 },
        { "../a.7", -EINVAL, "", 0 },
        { "user.7", -EINVAL, "", 0 },
        { X64 "x.7", -EINVAL, "", 0 },
        { "a.7 ", -EINVAL, "", 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char id[ID_MAX + 1] = "";
        uint64_t life = 0;
        assert_int_equal(path_parse_life(cases[i].name, id, &life), cases[i].r);
        assert_string_equal(id, cases[i].id);
        assert_true(life == cases[i].life);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(made), cmocka_unit_test(read_back), cmocka_unit_test(drops_are_read_back) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
