/* The staging folder before and after a copy. */
#include "transfer/tree.h"

#include "basic/strings.h"
#include "transfer/command.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

static char top[64];

/* "a/b/" makes a folder, "a/b" a file with its path as content, "a>b" a link a to b. */
static void make(const char *what) {
    char path[512];
    char *arrow;

    snprintf(path, sizeof(path), "%s/%s", top, what);
    arrow = strchr(path, '>');
    if (arrow) {
        *arrow = '\0';
        assert_int_equal(symlink(arrow + 1, path), 0);
    } else if (has_suffix(path, "/"))
        assert_int_equal(mkdir(path, 0700), 0);
    else {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, what, strlen(what)), strlen(what));
    }
}

static bool is_there(const char *name) {
    char path[512];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", top, name);
    return lstat(path, &st) == 0;
}

static int set_up(void **state) {
    strcpy(top, "/tmp/test-transfer-tree-XXXXXX");
    return mkdtemp(top) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    return remove(path);
}

static int tear_down(void **state) {
    return chdir("/") < 0 ? -1 : nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void finishing_removes_partial_folders_and_counts_files(void **state) {
    TreeCount count;

    make("a/");
    make("a/1234");
    make("a/" PARTIAL_FOLDER "/");
    make("a/" PARTIAL_FOLDER "/x");
    make("a/" PARTIAL_FOLDER "/deep/");
    make("a/" PARTIAL_FOLDER "/deep/y");
    make("b");
    make("l>a");
    assert_int_equal(tree_finish(top, &count), 0);
    assert_int_equal(count.files, 2);
    assert_int_equal(count.bytes, strlen("a/1234") + strlen("b"));
    assert_false(is_there("a/" PARTIAL_FOLDER));
    assert_true(is_there("a/1234"));
    assert_true(is_there("l"));
}

static void partial_files_are_added_up_and_others_not(void **state) {
    uint64_t bytes;

    make("whole");
    make("a/");
    make("a/" PARTIAL_FOLDER "/");
    make("a/" PARTIAL_FOLDER "/x");
    make("a/" PARTIAL_FOLDER "/link>../../whole");
    make(PARTIAL_FOLDER "/");
    make(PARTIAL_FOLDER "/y");
    assert_int_equal(tree_partial(top, &bytes), 0);
    assert_int_equal(bytes, strlen("a/" PARTIAL_FOLDER "/x") + strlen(PARTIAL_FOLDER "/y"));
    assert_true(is_there("a/" PARTIAL_FOLDER "/x"));
    assert_int_equal(tree_partial("/nonexistent/folder", &bytes), -ENOENT);
}

static void links_are_never_followed(void **state) {
    TreeCount count;

    make("out/");
    make("out/kept");
    make("copy/");
    make("copy/link>../out");
    make("copy/" PARTIAL_FOLDER ">../out");
    char copy[128];
    snprintf(copy, sizeof(copy), "%s/copy", top);
    assert_int_equal(tree_finish(copy, &count), 0);
    assert_int_equal(count.files, 0);
    assert_true(is_there("out/kept"));
    assert_true(is_there("copy/link"));

    assert_int_equal(tree_adopt_leftovers(copy), 0);
    assert_true(is_there("out/kept"));
}

static void what_a_killed_rsync_left_becomes_a_partial_file(void **state) {
    make(".big.bin.aB3xYz");
    make("d/");
    make("d/.f.000000");
    make("d/.not.a-temp");
    make("d/.short");
    make("d/plain.aB3xYz");
    make("d/..aB3xYz");
    assert_int_equal(tree_adopt_leftovers(top), 0);
    assert_true(is_there(PARTIAL_FOLDER "/big.bin"));
    assert_false(is_there(".big.bin.aB3xYz"));
    assert_true(is_there("d/" PARTIAL_FOLDER "/f"));
    assert_true(is_there("d/.not.a-temp"));
    assert_true(is_there("d/.short"));
    assert_true(is_there("d/plain.aB3xYz"));
    assert_true(is_there("d/..aB3xYz"));
}

static void what_is_in_a_partial_folder_stays_there(void **state) {
    make(PARTIAL_FOLDER "/");
    make(PARTIAL_FOLDER "/.f.aB3xYz");
    assert_int_equal(tree_adopt_leftovers(top), 0);
    assert_true(is_there(PARTIAL_FOLDER "/.f.aB3xYz"));
}

static void paths_longer_than_a_path_may_be_are_no_obstacle(void **state) {
    char name[201];
    TreeCount count;

    memset(name, 'n', 200);
    name[200] = '\0';
    assert_int_equal(chdir(top), 0);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(mkdir(name, 0700), 0);
        assert_int_equal(chdir(name), 0);
    }
    assert_int_equal(mkdir(PARTIAL_FOLDER, 0700), 0);
    _cleanup_close_ int fd = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "12345", 5), 5);
    assert_int_equal(tree_finish(top, &count), 0);
    assert_int_equal(count.files, 1);
    assert_int_equal(count.bytes, 5);
    /* nftw() can't take that down again */
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s/n*", top);
    assert_int_equal(system(command), 0);
}

static void a_folder_that_is_not_there_is_an_error(void **state) {
    TreeCount count;

    assert_int_equal(tree_finish("/nonexistent/folder", &count), -ENOENT);
    assert_int_equal(tree_adopt_leftovers("/nonexistent/folder"), -ENOENT);
}

int main(void) {
#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(finishing_removes_partial_folders_and_counts_files),
        STORY(partial_files_are_added_up_and_others_not),
        STORY(links_are_never_followed),
        STORY(what_a_killed_rsync_left_becomes_a_partial_file),
        STORY(what_is_in_a_partial_folder_stays_there),
        STORY(paths_longer_than_a_path_may_be_are_no_obstacle),
        STORY(a_folder_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
