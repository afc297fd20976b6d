/* What lies beneath a folder: counted whole, links not followed, and no more than there is room for. */
#include "basic/usage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static int set_up(void **state) {
    char *root = strdup("/tmp/test-usage-XXXXXX");

    assert_non_null(root);
    assert_non_null(mkdtemp(root));
    *state = root;
    return 0;
}

static int tear_down(void **state) {
    char command[96];

    snprintf(command, sizeof(command), "rm -r %s", (char *) *state);
    assert_int_equal(system(command), 0);
    free(*state);
    return 0;
}

static void make_file(int folder, const char *name, off_t size) {
    _cleanup_close_ int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
}

static void a_tree_is_counted_whole(void **state) {
    _cleanup_close_ int root = open(*state, O_PATH | O_DIRECTORY | O_CLOEXEC);
    uint64_t bytes, names;

    assert_int_equal(mkdirat(root, "drop", 0700), 0);
    assert_int_equal(usage_of(root, "/drop", 100, &bytes, &names), 0);
    assert_int_equal(bytes, 0);
    assert_int_equal(names, 0);
    make_file(root, "elsewhere", 1 << 20);
    make_file(root, "drop/a", 1000);
    assert_int_equal(mkdirat(root, "drop/b", 0700), 0);
    assert_int_equal(mkdirat(root, "drop/b/c", 0700), 0);
    make_file(root, "drop/b/c/d", 24);
    make_file(root, "drop/b/e", 0);
    assert_int_equal(symlinkat("../elsewhere", root, "drop/link"), 0);
    assert_int_equal(symlinkat("..", root, "drop/up"), 0);
    assert_int_equal(usage_of(root, "/drop", 100, &bytes, &names), 0);
    assert_int_equal(bytes, 1024);
    assert_int_equal(names, 7);
    assert_int_equal(usage_of(root, "/drop", 6, &bytes, &names), -E2BIG);
    assert_int_equal(usage_of(root, "/", 100, &bytes, &names), 0);
    assert_int_equal(bytes, 1024 + (1 << 20));
    assert_int_equal(usage_of(root, "drop/b", 100, &bytes, &names), 0);
    assert_int_equal(bytes, 24);
}

static void folders_too_deep_for_a_path_are_too_many(void **state) {
    _cleanup_close_ int root = open(*state, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char name[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    uint64_t bytes, names;
    int at = dup(root);

    for (int i = 0; i < 60; i++) { /* 60 × 79 > 4096 */
        assert_int_equal(mkdirat(at, name, 0700), 0);
        int below = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(below >= 0);
        close(at);
        at = below;
    }
    close(at);
    assert_int_equal(usage_of(root, "/", 1000, &bytes, &names), -E2BIG);
}

static void what_is_no_folder_of_ours_is_an_error(void **state) {
    _cleanup_close_ int root = open(*state, O_PATH | O_DIRECTORY | O_CLOEXEC);
    uint64_t bytes = 7, names = 7;

    make_file(root, "file", 5);
    assert_int_equal(symlinkat("..", root, "up"), 0);
    assert_int_equal(usage_of(root, "/none", 100, &bytes, &names), -ENOENT);
    assert_int_equal(usage_of(root, "/file", 100, &bytes, &names), -ENOTDIR);
    assert_int_equal(usage_of(root, "/up", 100, &bytes, &names), -ENOTDIR);
    assert_int_equal(usage_of(root, "..", 100, &bytes, &names), -EXDEV);
    assert_int_equal(bytes, 7);
    assert_int_equal(names, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tree_is_counted_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_too_deep_for_a_path_are_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_folder_of_ours_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
