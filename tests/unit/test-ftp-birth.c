/* A client gets a process: children that wait, one that was killed meanwhile, a zygote that is gone. The zygote is a real one, in its jail. */
#include "ftpd/birth.h"
#include "ftpd/jail_filter.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define PATIENCE_MS 60000
#define ANSWER_MAX 64

typedef struct Fixture {
    JailFilters *filters;
    Zygote zygote;
} Fixture;

/* What a child of these tests does with its client. */
static _Noreturn void serve(const SessionStart *start) {
    _exit(send(CHILD_CONTROL_FD, start->drop, strlen(start->drop), MSG_NOSIGNAL) > 0 ? 0 : 1);
}

static int set_up(void **state) {
    static char name[] = "test-ftp-birth";
    char *argv[] = { name, NULL };
    Fixture *f = calloc(1, sizeof(*f));
    const ZygoteHook in_this_program = { 0 };
    const ChildConfig config = { 0 };
    SessionStart start;

    assert_non_null(f);
    assert_int_equal(jail_filters_new(false, &f->filters), 0);
    int r = zygote_start(&f->zygote, jail_filters_get(f->filters, JAIL_PRELOGIN), &config, argv, &in_this_program, &start);
    if (r > 0)
        serve(&start);
    assert_int_equal(r, 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;

    zygote_done(&f->zygote);
    jail_filters_free(f->filters);
    free(f);
    return 0;
}

static pid_t pid_of(int wire) {
    struct pollfd pfd = { .fd = wire, .events = POLLIN };
    pid_t pid = 0;

    assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
    assert_int_equal(birth_hello(wire, &pid), 1);
    return pid;
}

/* birth_give(), and what the child says to its client. */
static int give(Zygote *z, const char *word, char ret[static ANSWER_MAX], pid_t *ret_pid) {
    SessionStart start = { 0 };
    int pair[2], wire;

    strcpy(start.drop, word);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    const BirthFds fds = { .control = pair[1], .home = -EBADF, .drop = -EBADF };
    int r = birth_give(z, &fds, &start, &wire);
    close(pair[1]);
    if (r >= 0) {
        *ret_pid = pid_of(wire);
        ssize_t n = recv(pair[0], ret, ANSWER_MAX - 1, 0);
        assert_true(n > 0);
        ret[n] = '\0';
        close(wire);
    }
    close(pair[0]);
    return r;
}

static void each_client_gets_a_process_of_its_own(void **state) {
    Fixture *f = *state;
    char answers[2][ANSWER_MAX];
    pid_t pids[2];

    assert_int_equal(f->zygote.n_ready, 0); /* nobody waits before the first client was there */
    assert_int_equal(give(&f->zygote, "one", answers[0], &pids[0]), 0);
    assert_true(f->zygote.n_ready > 0);
    assert_int_equal(give(&f->zygote, "two", answers[1], &pids[1]), 0);
    assert_string_equal(answers[0], "one");
    assert_string_equal(answers[1], "two");
    assert_true(pids[0] > 0 && pids[1] > 0 && pids[0] != pids[1] && pids[0] != getpid());
}

static void one_that_was_killed_while_it_waited_is_passed_over(void **state) {
    Fixture *f = *state;
    char answer[ANSWER_MAX];
    pid_t pid;

    assert_int_equal(give(&f->zygote, "one", answer, &pid), 0);
    int wire = f->zygote.ready[0];
    pid_t killed = pid_of(wire);
    assert_int_equal(kill(killed, SIGKILL), 0);
    struct pollfd pfd = { .fd = wire };
    assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1); /* POLLHUP */
    assert_int_equal(give(&f->zygote, "two", answer, &pid), 0);
    assert_string_equal(answer, "two");
    assert_int_not_equal(pid, killed);
}

static void a_zygote_that_is_gone_is_noticed(void **state) {
    Fixture *f = *state;
    struct pollfd pfd = { .fd = f->zygote.tick_fd };
    char answer[ANSWER_MAX];
    pid_t pid;
    int r = 0;

    assert_int_equal(shutdown(f->zygote.tick_fd, SHUT_WR), 0); /* as if the listener had ended: so does it */
    assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
    for (int i = 0; i <= BIRTH_READY_MAX && r == 0; i++)
        r = give(&f->zygote, "late", answer, &pid);
    assert_int_equal(r, -ECONNRESET);
}

static void a_child_that_says_nothing_is_waited_for(void **state) {
    int wire[2];
    pid_t pid = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wire), 0);
    assert_int_equal(birth_hello(wire[0], &pid), -EAGAIN);
    assert_int_equal(send(wire[1], "x", 1, 0), 1); /* no pid */
    assert_int_equal(birth_hello(wire[0], &pid), 0);
    close(wire[1]);
    assert_int_equal(birth_hello(wire[0], &pid), 0);
    assert_int_equal(pid, 0);
    close(wire[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_client_gets_a_process_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_was_killed_while_it_waited_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zygote_that_is_gone_is_noticed, set_up, tear_down),
        cmocka_unit_test(a_child_that_says_nothing_is_waited_for),
    };
    return jail_harden_process() < 0 ? EXIT_FAILURE : cmocka_run_group_tests(tests, NULL, NULL);
}
