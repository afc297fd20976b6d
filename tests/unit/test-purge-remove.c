/* purge/remove: trees that a stranger built to be hard to remove. */
#include "purge/remove.h"

#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define DEPTH 3000 /* its path is far too long for the kernel */

/* Permission bits say nothing to root: the test does what the purge does, as somebody. */
static int set_up(void **state) {
    static char path[32];

    strcpy(path, "/tmp/tempoftp-test-XXXXXX");
    if (geteuid() == 0 && (setegid(65534) < 0 || seteuid(65534) < 0))
        return -1;
    if (!mkdtemp(path))
        return -1;
    *state = path;
    return 0;
}

static int tear_down(void **state) {
    uint64_t entries;
    int r = remove_tree(*state, &entries);

    if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0))
        return -1;
    return r;
}

static void make_file(int parent, const char *name, mode_t mode) {
    int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    close(fd);
}

static int make_folder(int parent, const char *name) {
    int fd;

    assert_int_equal(mkdirat(parent, name, 0700), 0);
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static bool there(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

static void a_tree_goes_with_all_that_is_in_it(void **state) {
    int top = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC), a = make_folder(top, "a"), b = make_folder(a, "b");
    uint64_t entries;

    make_file(top, ".hidden", 0600);
    make_file(top, ".0", 0600); /* a name that a folder could be moved up to */
    make_file(a, "newline\nin it", 0600);
    make_file(b, "\xff", 0600);
    assert_int_equal(symlinkat("/", b, "root"), 0);
    assert_int_equal(mkfifoat(b, "pipe", 0600), 0);
    close(a);
    close(b);
    close(top);
    assert_int_equal(remove_tree(*state, &entries), 0);
    assert_int_equal(entries, 9);
    assert_false(there(*state));
    assert_int_equal(remove_tree(*state, &entries), 0); /* not there: fine */
    assert_int_equal(entries, 0);
}

static void folders_that_nobody_may_enter_go_too(void **state) {
    static const mode_t modes[] = { 0, 0100, 0200, 0400, 0500, 0300, 01000, 02555 };
    int top = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC), folders[ELEMENTS(modes)];
    uint64_t entries;

    int parent = top;
    for (size_t i = 0; i < ELEMENTS(modes); i++) { /* one in the other */
        folders[i] = make_folder(parent, "x");
        make_file(folders[i], "file", 0);
        parent = folders[i];
    }
    for (size_t i = ELEMENTS(modes); i-- > 0;) {
        assert_int_equal(fchmod(folders[i], modes[i]), 0);
        close(folders[i]);
    }
    close(top);
    assert_int_equal(remove_tree(*state, &entries), 0);
    assert_false(there(*state));
}

static void depth_does_not_matter(void **state) {
    int at = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t entries;

    for (int i = 0; i < DEPTH; i++) {
        int next = make_folder(at, "deep");
        make_file(next, "file", 0600);
        close(at);
        at = next;
    }
    close(at);
    assert_int_equal(remove_tree(*state, &entries), 0);
    assert_int_equal(entries, 2 * DEPTH + 1);
}

static void a_link_is_no_folder(void **state) {
    char inside[64], outside[64];
    uint64_t entries;

    snprintf(inside, sizeof(inside), "%s/inside", (const char *) *state);
    snprintf(outside, sizeof(outside), "%s/outside", (const char *) *state);
    assert_int_equal(mkdir(outside, 0500), 0);
    assert_int_equal(symlink(outside, inside), 0);
    assert_int_equal(remove_tree(inside, &entries), -ENOTDIR);
    assert_true(there(outside));
}

static void what_it_can_not_remove_it_says(void **state) {
    uint64_t entries;

    assert_int_equal(remove_tree("/proc/self/fd", &entries), -EPERM);
}

#define REMOVE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        REMOVE_TEST(a_tree_goes_with_all_that_is_in_it),
        REMOVE_TEST(folders_that_nobody_may_enter_go_too),
        REMOVE_TEST(depth_does_not_matter),
        REMOVE_TEST(a_link_is_no_folder),
        REMOVE_TEST(what_it_can_not_remove_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
