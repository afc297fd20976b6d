/* Children: no shell, a plain environment, their words kept, their end known; and the walls around them. */
#include "transfer/child.h"

#include "basic/fds.h"
#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

static bool append_line(const char *line, size_t size, void *userdata) {
    Buffer *b = userdata;
    buffer_append(b, line, size);
    buffer_putc(b, '|');
    return true;
}

/* Runs it to its end; what it wrote on stdout, with '|' behind each line. */
static char *run(const char *const *argv, Child *ret) {
    Buffer text = { .max = 1 << 20 };

    assert_int_equal(child_start(argv, NULL, ret), 0);
    assert_int_equal(child_wait(ret, append_line, &text), 0);
    assert_true(ret->ended);
    return text.data ? buffer_take(&text) : strdup("");
}
#define ARGV(...) ((const char *const[]) { __VA_ARGS__, NULL })

static void arguments_reach_the_program_as_they_are(void **state) {
    _cleanup_child_ Child c = CHILD_NONE;
    _cleanup_free_ char *text = run(ARGV("/usr/bin/printf", "%s\n", "$(id) `id` ;id *", "$HOME", "a\\b"), &c);

    assert_string_equal(text, "$(id) `id` ;id *|$HOME|a\\b|");
    assert_int_equal(c.exit_status, 0);
}

static void nothing_of_our_environment_goes_on(void **state) {
    _cleanup_child_ Child c = CHILD_NONE;

    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", true);
    setenv("RSYNC_RSH", "evil", true);
    _cleanup_free_ char *text = run(ARGV("/usr/bin/env"), &c);
    assert_string_equal(text, "PATH=/usr/bin:/bin|LC_ALL=C|HOME=/nonexistent|");
}

static void ends_are_told_apart(void **state) {
    static const struct {
        const char *script;
        int status, signal;
    } rows[] = { { "exit 0", 0, 0 }, { "exit 23", 23, 0 }, { "kill -9 $$", 0, SIGKILL }, { "kill -15 $$", 0, SIGTERM } };

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        _cleanup_child_ Child c = CHILD_NONE;
        free(run(ARGV("/bin/sh", "-c", rows[i].script), &c));
        assert_int_equal(c.exit_status, rows[i].status);
        assert_int_equal(c.term_signal, rows[i].signal);
    }
}

static void a_missing_program_is_an_exit_with_a_reason(void **state) {
    _cleanup_child_ Child c = CHILD_NONE;

    free(run(ARGV("/nonexistent/program"), &c));
    assert_int_equal(c.exit_status, 126);
    assert_non_null(strstr(c.said.data, "No such file"));
}

static void carriage_returns_end_lines_too_and_errors_are_kept_apart(void **state) {
    _cleanup_child_ Child c = CHILD_NONE;
    _cleanup_free_ char *text = run(ARGV("/usr/bin/printf", "a\\rb\\n\\nc\\rrest"), &c), *none = NULL;
    _cleanup_child_ Child loud = CHILD_NONE;

    assert_string_equal(text, "a|b|c|rest|");
    none = run(ARGV("/bin/sh", "-c", "echo oops >&2"), &loud);
    assert_string_equal(none, "");
    assert_string_equal(loud.said.data, "oops\n");
}

static bool end_of(const char *line, size_t size, void *userdata) {
    kill(atoi(line), SIGTERM); /* nothing comes after it: only who is told at once ends the wait */
    return true;
}

static void a_line_drawn_over_another_is_passed_on_at_once(void **state) {
    _cleanup_child_ Child c = CHILD_NONE;

    assert_int_equal(child_start(ARGV("/bin/sh", "-c", "printf '\\r%s' $$; exec sleep 1000"), NULL, &c), 0);
    assert_int_equal(child_wait(&c, end_of, NULL), 0);
    assert_int_equal(c.term_signal, SIGTERM);
}

static bool until_end(const char *line, size_t size, void *userdata) {
    append_line(line, size, userdata);
    return strcmp(line, "end") != 0;
}

static void the_last_line_that_matters_is_not_waited_beyond(void **state) {
    _cleanup_child_ Child c = CHILD_NONE;
    _cleanup_buffer_ Buffer text = { .max = 1024 };

    assert_int_equal(child_start(ARGV("/bin/sh", "-c", "echo one; echo end; exec sleep 1000"), NULL, &c), 0);
    assert_int_equal(child_wait(&c, until_end, &text), 0);
    assert_false(c.ended);
    assert_string_equal(text.data, "one|end|");
}

static void trouble_on_stderr_is_waited_for_even_after_the_last_line(void **state) {
    _cleanup_child_ Child c = CHILD_NONE;
    _cleanup_buffer_ Buffer text = { .max = 1024 };

    assert_int_equal(child_start(ARGV("/bin/sh", "-c", "echo oops >&2; echo end; echo more; exit 23"), NULL, &c), 0);
    assert_int_equal(child_wait(&c, until_end, &text), 0);
    assert_true(c.ended);
    assert_int_equal(c.exit_status, 23);
    assert_string_equal(text.data, "end|more|");
}

static void a_flood_on_stderr_is_cut(void **state) {
    _cleanup_child_ Child c = CHILD_NONE;

    free(run(ARGV("/bin/sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x >&2"), &c));
    assert_int_equal(c.said.size, SAID_MAX);
    assert_int_equal(c.exit_status, 0);
}

static void a_grandchild_that_holds_the_pipes_keeps_nobody_waiting(void **state) {
    _cleanup_child_ Child c = CHILD_NONE;
    _cleanup_free_ char *text = run(ARGV("/bin/sh", "-c", "sleep 1000 & echo $!"), &c);

    assert_true(atoi(text) > 0);
    kill(atoi(text), SIGKILL);
}

static void leaving_ends_the_child(void **state) {
    pid_t pid;
    {
        _cleanup_child_ Child c = CHILD_NONE;
        assert_int_equal(child_start(ARGV("/bin/sleep", "1000"), NULL, &c), 0);
        pid = c.pid;
        assert_int_equal(child_look(&c), 0);
        assert_false(c.ended);
    }
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void the_detail_is_the_first_line_that_is_no_banner(void **state) {
    static const struct {
        const char *said, *detail;
    } rows[] = {
        { "one\ntwo\n", "one" },
        { "\n\r\nrsync: x\n", "rsync: x" },
        { "@@@@@@@@@\n@    WARNING    @\n@@@@@@\nIT IS POSSIBLE\n", "IT IS POSSIBLE" },
        { "a\tb\x1b[31mc\n", "a b [31mc" },
        { "", "" },
        { "@@@", "" },
        { NULL, "" },
    };
    char text[64], small[5];

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        child_detail(rows[i].said, text, sizeof(text));
        assert_string_equal(text, rows[i].detail);
    }
    child_detail("longer than that", small, sizeof(small));
    assert_string_equal(small, "long");
}

/* ---- walls ---- */

typedef struct Place {
    char top[64], staging[96], other[96], tmp[96], key[96];
} Place;

static void place_make(Place *p) {
    strcpy(p->top, "/tmp/test-transfer-child-XXXXXX");
    assert_non_null(mkdtemp(p->top));
    snprintf(p->staging, sizeof(p->staging), "%s/staging", p->top);
    snprintf(p->other, sizeof(p->other), "%s/other", p->top);
    snprintf(p->tmp, sizeof(p->tmp), "%s/tmp", p->top);
    snprintf(p->key, sizeof(p->key), "%s/key", p->top);
    assert_int_equal(mkdir(p->staging, 0700) | mkdir(p->other, 0700) | mkdir(p->tmp, 0700), 0);
    _cleanup_close_ int fd = open(p->key, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
}

static void place_remove(Place *p) {
    _cleanup_child_ Child c = CHILD_NONE;
    free(run(ARGV("/bin/rm", "-rf", "--", p->top), &c));
}

/* The script's exit status inside the jail: 0 it could, else it couldn't. */
static int inside(const Jail *jail, const char *script, const char *argument, const char *second) {
    _cleanup_child_ Child c = CHILD_NONE;

    assert_int_equal(child_start(ARGV("/bin/sh", "-c", script, "sh", argument, second), jail, &c), 0);
    assert_int_equal(child_wait(&c, NULL, NULL), 0);
    if (c.exit_status == 125) /* landlock itself */
        fail_msg("this kernel: %s", c.said.data);
    return c.exit_status;
}

static void rsyncs_jail_has_the_staging_folder_and_not_the_key(void **state) {
    Place p;
    place_make(&p);
    Jail jail = { .staging = p.staging };

    assert_int_equal(inside(&jail, "echo x >$1/f && mkdir $1/d && mv $1/f $1/d/f && rm $1/d/f && ln -s x $1/l", p.staging, ""), 0);
    assert_int_not_equal(inside(&jail, "cat $1", p.key, ""), 0);
    assert_int_not_equal(inside(&jail, "echo x >$1/f", p.other, ""), 0);
    assert_int_not_equal(inside(&jail, "ls $1", p.other, ""), 0);
    assert_int_not_equal(inside(&jail, "echo x >$1/f", p.tmp, ""), 0);
    assert_int_not_equal(inside(&jail, "ln -s $2/f $1/out && echo x >$1/out", p.staging, p.other), 0);
    assert_int_not_equal(inside(&jail, "rm -f $1", p.key, ""), 0);
    assert_int_not_equal(inside(&jail, "mkfifo $1/fifo", p.staging, ""), 0);
    place_remove(&p);
}

static void sshs_jail_has_the_key_and_not_the_data(void **state) {
    Place p;
    place_make(&p);
    Jail jail = { .credentials = p.key, .private_tmp = p.tmp };

    assert_int_equal(inside(&jail, "cat $1 && echo x >$2/f", p.key, p.tmp), 0);
    assert_int_not_equal(inside(&jail, "echo x >$1", p.key, ""), 0);
    assert_int_not_equal(inside(&jail, "echo x >$1/f", p.staging, ""), 0);
    assert_int_not_equal(inside(&jail, "ls $1", p.staging, ""), 0);
    place_remove(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_reach_the_program_as_they_are),
        cmocka_unit_test(nothing_of_our_environment_goes_on),
        cmocka_unit_test(ends_are_told_apart),
        cmocka_unit_test(a_missing_program_is_an_exit_with_a_reason),
        cmocka_unit_test(carriage_returns_end_lines_too_and_errors_are_kept_apart),
        cmocka_unit_test(a_line_drawn_over_another_is_passed_on_at_once),
        cmocka_unit_test(the_last_line_that_matters_is_not_waited_beyond),
        cmocka_unit_test(trouble_on_stderr_is_waited_for_even_after_the_last_line),
        cmocka_unit_test(a_flood_on_stderr_is_cut),
        cmocka_unit_test(a_grandchild_that_holds_the_pipes_keeps_nobody_waiting),
        cmocka_unit_test(leaving_ends_the_child),
        cmocka_unit_test(the_detail_is_the_first_line_that_is_no_banner),
        cmocka_unit_test(rsyncs_jail_has_the_staging_folder_and_not_the_key),
        cmocka_unit_test(sshs_jail_has_the_key_and_not_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
