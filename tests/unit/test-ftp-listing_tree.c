/* Trees for LIST -R: form, order, what is entered, and the limits. */
#include "ftpd/listing_tree.h"

#include "basic/buffer.h"
#include "basic/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define MANY 100000

typedef struct World {
    char root[64];
    int fd;
    Buffer text, entered;
    const char *gone; /* is removed before it is entered */
    int enter_result; /* from the second folder on */
} World;

static int set_up(void **state) {
    static World w;

    w = (World) { .root = "/tmp/test-ftp-listing_tree-XXXXXX" };
    assert_non_null(mkdtemp(w.root));
    w.fd = open(w.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(w.fd >= 0);
    *state = &w;
    return 0;
}

static int tear_down(void **state) {
    World *w = *state;
    char command[128];

    close(w->fd);
    buffer_done(&w->text);
    buffer_done(&w->entered);
    snprintf(command, sizeof(command), "rm -r %s", w->root);
    return system(command);
}

static void folder(World *w, const char *path) {
    assert_int_equal(mkdirat(w->fd, path, 0700), 0);
}

static void file(World *w, const char *path) {
    _cleanup_close_ int fd = openat(w->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
}

static int write_text(void *userdata, const char *data, size_t size) {
    World *w = userdata;

    buffer_append(&w->text, data, size);
    return w->text.error;
}

static int enter(void *userdata, const char *path) {
    World *w = userdata;

    if (w->entered.size > 0 && w->enter_result < 0)
        return w->enter_result;
    if (w->gone && strcmp(path + 1, w->gone) == 0)
        assert_int_equal(unlinkat(w->fd, w->gone, AT_REMOVEDIR), 0);
    buffer_puts(&w->entered, path);
    buffer_putc(&w->entered, ' ');
    return w->entered.error;
}

static int list(World *w, const char *path, const char *shown, size_t max) {
    char relative[128];
    Listing l = { .format = LISTING_NAMES, .home_fd = w->fd, .folder = path, .write = write_text, .userdata = w };

    snprintf(relative, sizeof(relative), ".%s", path);
    _cleanup_close_ int fd = openat(w->fd, relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return listing_tree(&l, fd, shown, max, enter);
}

static void has_the_form_of_ls(void **state) {
    World *w = *state;

    folder(w, "b");
    folder(w, "b/deep");
    folder(w, "b/deep/er");
    folder(w, "b/empty");
    folder(w, "d");
    file(w, "a");
    file(w, "b/deep/x");
    file(w, "d/y");
    file(w, "c");
    assert_int_equal(symlinkat("..", w->fd, "b/up"), 0);
    assert_int_equal(list(w, "/", ".", MANY), 0);
    assert_string_equal(w->text.data, ".:\r\na\r\nb\r\nc\r\nd\r\n"
                                      "\r\n./b:\r\ndeep\r\nempty\r\nup\r\n"
                                      "\r\n./b/deep:\r\ner\r\nx\r\n"
                                      "\r\n./b/deep/er:\r\n"
                                      "\r\n./b/empty:\r\n"
                                      "\r\n./d:\r\ny\r\n");
    assert_string_equal(w->entered.data, "/ /b /b/deep /b/deep/er /b/empty /d ");
}

static void begins_where_it_is_told_to(void **state) {
    World *w = *state;

    folder(w, "b");
    folder(w, "b/deep");
    assert_int_equal(list(w, "/b", "../b", MANY), 0);
    assert_string_equal(w->text.data, "../b:\r\ndeep\r\n\r\n../b/deep:\r\n");
    assert_string_equal(w->entered.data, "/b /b/deep ");
}

static void the_root_has_one_slash(void **state) {
    World *w = *state;

    folder(w, "b");
    assert_int_equal(list(w, "/", "/", MANY), 0);
    assert_string_equal(w->text.data, "/:\r\nb\r\n\r\n/b:\r\n");
}

static void names_that_cannot_be_said_are_not_entered(void **state) {
    World *w = *state;

    folder(w, "line\nend");
    file(w, "line\nend/a");
    assert_int_equal(list(w, "/", ".", MANY), 0);
    assert_string_equal(w->text.data, ".:\r\n");
}

static void folders_that_are_gone_since_are_shown_empty(void **state) {
    World *w = *state;

    folder(w, "b");
    folder(w, "c");
    file(w, "c/x");
    w->gone = "b";
    assert_int_equal(list(w, "/", ".", MANY), 0);
    assert_string_equal(w->text.data, ".:\r\nb\r\nc\r\n\r\n./b:\r\n\r\n./c:\r\nx\r\n");
}

static void depth_has_a_limit(void **state) {
    World *w = *state;
    char path[2 * (TREE_DEPTH_MAX + 1)] = "";

    for (unsigned depth = 1; depth <= TREE_DEPTH_MAX + 1; depth++) {
        strcat(path, depth > 1 ? "/d" : "d");
        folder(w, path);
        assert_int_equal(list(w, "/", ".", MANY), depth <= TREE_DEPTH_MAX ? 0 : -E2BIG);
    }
}

static void entries_have_a_limit(void **state) {
    World *w = *state;

    folder(w, "b");
    file(w, "b/x");
    file(w, "b/y");
    assert_int_equal(list(w, "/", ".", 3), 0);
    assert_int_equal(list(w, "/", ".", 2), -E2BIG);
}

static void names_that_wait_have_a_limit(void **state) {
    enum { LENGTH = 250 };
    World *w = *state;
    char name[LENGTH + 1];

    for (int i = 0; i <= TREE_NAMES_SIZE / (LENGTH + 1); i++) {
        snprintf(name, sizeof(name), "%0*d", LENGTH, i);
        folder(w, name);
    }
    assert_int_equal(list(w, "/", ".", MANY), -E2BIG);
}

static void ends_when_it_is_told_to(void **state) {
    World *w = *state;

    folder(w, "b");
    w->enter_result = -ESHUTDOWN;
    assert_int_equal(list(w, "/", ".", MANY), -ESHUTDOWN);
    assert_string_equal(w->entered.data, "/ ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(has_the_form_of_ls), TEST(begins_where_it_is_told_to), TEST(the_root_has_one_slash),
        TEST(names_that_cannot_be_said_are_not_entered), TEST(folders_that_are_gone_since_are_shown_empty),
        TEST(depth_has_a_limit), TEST(entries_have_a_limit), TEST(names_that_wait_have_a_limit), TEST(ends_when_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
