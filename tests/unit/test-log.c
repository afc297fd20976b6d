/* Plain lines as a person or a pipe sees them. (The journal's side is a system test's.) */
#include "basic/log.h"

#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <cmocka.h>

static char captured[8192];

/* Runs `say` with stderr in a pipe; its output is in `captured`. */
static void capture(void (*say)(void)) {
    int pair[2], kept = dup(STDERR_FILENO);

    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    assert_true(dup2(pair[1], STDERR_FILENO) >= 0);
    say();
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(pair[1]);
    ssize_t n = read(pair[0], captured, sizeof(captured) - 1);
    captured[n > 0 ? n : 0] = '\0';
    close(pair[0]);
}

static void say_levels(void) {
    log_open("prog", LOG_INFO);
    log_error("one %d", 1);
    log_warning("two");
    log_notice("three");
    log_info("four");
    log_debug("never");
}

static void levels(void **state) {
    capture(say_levels);
    assert_string_equal(captured, "prog: error: one 1\nprog: warning: two\nprog: notice: three\nprog: info: four\n");
}

static void say_about(void) {
    log_open("prog", LOG_DEBUG);
    log_line(LOG_INFO, &(LogContext) { .request = "id1", .http = "x-1", .account = "ftp_a_bcde", .peer = "192.0.2.1" }, "text");
    log_line(LOG_DEBUG, &(LogContext) { .request = "id1", .message_id = "0" }, "text");
}

static void what_a_line_is_about(void **state) {
    capture(say_about);
    assert_string_equal(captured, "prog: info: text [id1] [x-1] [ftp_a_bcde] [192.0.2.1]\nprog: debug: text [id1]\n");
}

static void say_hostile(void) {
    log_open("prog", LOG_INFO);
    log_info("a\nprog: error: forged\x1b[31m\x7f");
    log_line(LOG_INFO, &(LogContext) { .request = "x\ny" }, "t");
}

static void a_line_stays_one_line(void **state) {
    capture(say_hostile);
    assert_string_equal(captured, "prog: info: a prog: error: forged [31m \nprog: info: t [x y]\n");
}

static void say_long(void) {
    char text[5000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_open("prog", LOG_INFO);
    log_line(LOG_INFO, &(LogContext) { .request = text }, "%s", text);
}

static void long_lines_are_cut(void **state) {
    capture(say_long);
    size_t n = strlen(captured);
    assert_true(n > 1000 && n < 4500);
    assert_int_equal(captured[n - 1], '\n');
}

static void say_errno(void) {
    log_open("prog", LOG_INFO);
    errno = EXDEV;
    assert_int_equal(log_errno(-ENOENT, "Cannot open %s", "f"), -ENOENT);
    assert_int_equal(errno, EXDEV);
}

static void errors_with_their_reason(void **state) {
    capture(say_errno);
    assert_string_equal(captured, "prog: error: Cannot open f: No such file or directory\n");
}

static void not_the_journal(void) {
    setenv("JOURNAL_STREAM", "1:1", 1); /* another file than our stderr */
    log_open("prog", LOG_INFO);
    unsetenv("JOURNAL_STREAM");
    log_info("still here");
}

static void redirected_stderr_is_not_the_journal(void **state) {
    capture(not_the_journal);
    assert_string_equal(captured, "prog: info: still here\n");
}

static void stderr_is_this(void) {
    char stream[64];
    struct stat st;

    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open_stream("prog", LOG_INFO);
    unsetenv("JOURNAL_STREAM");
    log_warning("a\n<0>b");
    log_debug("never");
}

static void the_journals_stream_gets_levels(void **state) {
    capture(stderr_is_this);
    assert_string_equal(captured, "<4>a <0>b\n");
    log_open_stream("prog", LOG_INFO); /* and where stderr is a person's, nothing is different */
    capture(say_errno);
    assert_string_equal(captured, "prog: error: Cannot open f: No such file or directory\n");
}

static void level_names(void **state) {
    assert_int_equal(log_level_parse("debug"), LOG_DEBUG);
    assert_int_equal(log_level_parse("INFO"), LOG_INFO);
    assert_int_equal(log_level_parse("Warning"), LOG_WARNING);
    assert_int_equal(log_level_parse("error"), LOG_ERR);
    assert_int_equal(log_level_parse(""), -EINVAL);
    assert_int_equal(log_level_parse("notice"), -EINVAL);
    assert_int_equal(log_level_parse("loud"), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(what_a_line_is_about),
        cmocka_unit_test(a_line_stays_one_line),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(errors_with_their_reason),
        cmocka_unit_test(redirected_stderr_is_not_the_journal),
        cmocka_unit_test(the_journals_stream_gets_levels),
        cmocka_unit_test(level_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
