/* Ends processes by their program and folder: this very test plays the program whose processes are sessions, /bin/sleep a stranger. */
#include "pureftpd/end.h"
#include "pureftpd/list.h"

#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <cmocka.h>

typedef struct World {
    char data[PATH_MAX]; /* realpath */
    Program program;
    pid_t made[8];
    size_t n;
} World;

static void make_folder(const World *w, const char *relative) {
    char path[PATH_MAX + 64];

    snprintf(path, sizeof(path), "%s/%s", w->data, relative);
    assert_int_equal(mkdir(path, 0755), 0);
}

static int set_up(void **state) {
    World *w = calloc(1, sizeof(*w));
    char folder[] = "/tmp/tempoftp-end-XXXXXX";

    assert_non_null(w);
    assert_non_null(mkdtemp(folder));
    assert_non_null(realpath(folder, w->data));
    assert_int_equal(program_find("/proc/self/exe", &w->program), 0);
    make_folder(w, "ftp_ana_abcd");
    make_folder(w, "ftp_ana_abcd/p1");
    make_folder(w, "ftp_ana_abcd/p2");
    make_folder(w, "ftp_eva_abcd");
    make_folder(w, ".blocked");
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    World *w = *state;
    char *command[] = { (char *) "rm", (char *) "-rf", w->data, NULL };

    for (size_t i = 0; i < w->n; i++) {
        (void) kill(w->made[i], SIGKILL);
        (void) waitpid(w->made[i], NULL, 0);
    }
    pid_t child = fork();
    if (child == 0)
        execv("/bin/rm", command);
    (void) waitpid(child, NULL, 0);
    free(w);
    return 0;
}

/* A process whose working folder that is; deaf: it takes no notice of SIGTERM; program: NULL: this one. */
static pid_t start(World *w, const char *folder, bool deaf, const char *program) {
    char path[PATH_MAX + 64], done = 0;
    int ready[2];

    snprintf(path, sizeof(path), "%s/%s", w->data, folder);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGTERM, deaf ? SIG_IGN : SIG_DFL);
        if (chdir(path) < 0)
            _exit(1);
        if (program)
            execl(program, program, "600", NULL); /* closes the pipe */
        else if (write(ready[1], "r", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &done, 1), program ? 0 : 1);
    close(ready[0]);
    w->made[w->n++] = child;
    return child;
}

static bool lives(pid_t pid) {
    return waitpid(pid, NULL, WNOHANG) == 0;
}

static unsigned end(const World *w, const char *account, const char *id) {
    Whose whose = { .account = account, .id = id };

    assert_int_equal(sessions_end(&w->program, w->data, &whose, 1), 0);
    return whose.ended;
}

static unsigned end_process(const World *w, pid_t pid) {
    Whose whose = { .id = "", .pid = pid };

    assert_int_equal(sessions_end(&w->program, w->data, &whose, 1), 0);
    return whose.ended;
}

static void all_sessions_of_one_account_end(void **state) {
    World *w = *state;
    pid_t one = start(w, "ftp_ana_abcd", false, NULL), two = start(w, "ftp_ana_abcd/p1", false, NULL), other = start(w, "ftp_eva_abcd", false, NULL),
          stranger = start(w, "ftp_ana_abcd", false, "/bin/sleep");

    assert_int_equal(end(w, "ftp_ana_abcd", ""), 2);
    assert_false(lives(one));
    assert_false(lives(two));
    assert_true(lives(other));
    assert_true(lives(stranger));
    assert_int_equal(end(w, "ftp_ana_abcd", ""), 0);
}

static void many_accounts_end_at_once_and_each_is_counted(void **state) {
    World *w = *state;
    Whose whose[] = { { .account = "ftp_none_abcd", .id = "" }, { .account = "ftp_eva_abcd", .id = "" }, { .account = "ftp_ana_abcd", .id = "p1" } };
    pid_t eva = start(w, "ftp_eva_abcd", false, NULL), one = start(w, "ftp_ana_abcd/p1", false, NULL), again = start(w, "ftp_ana_abcd/p1", false, NULL),
          other = start(w, "ftp_ana_abcd/p2", false, NULL);

    assert_int_equal(sessions_end(&w->program, w->data, whose, ELEMENTS(whose)), 0);
    assert_int_equal(whose[0].ended, 0);
    assert_int_equal(whose[1].ended, 1);
    assert_int_equal(whose[2].ended, 2);
    assert_false(lives(eva) || lives(one) || lives(again));
    assert_true(lives(other));
}

static void one_that_does_not_listen_is_killed(void **state) {
    World *w = *state;
    pid_t deaf = start(w, "ftp_ana_abcd", true, NULL);

    assert_int_equal(end(w, "ftp_ana_abcd", ""), 1);
    assert_false(lives(deaf));
}

static void only_those_that_use_the_request_end(void **state) {
    World *w = *state;
    char from[PATH_MAX + 64], to[PATH_MAX + 64];
    pid_t inside = start(w, "ftp_ana_abcd/p1", false, NULL), beside = start(w, "ftp_ana_abcd/p2", false, NULL);

    snprintf(from, sizeof(from), "%s/ftp_ana_abcd/p1", w->data);
    snprintf(to, sizeof(to), "%s/.blocked/p1.7", w->data);
    assert_int_equal(rename(from, to), 0); /* moved away from under it, as a block does */
    assert_int_equal(end(w, "ftp_ana_abcd", "p1"), 1);
    assert_false(lives(inside));
    assert_true(lives(beside));
}

static void the_session_of_a_process_ends_if_it_is_one(void **state) {
    World *w = *state;
    pid_t session = start(w, "ftp_ana_abcd", false, NULL), other = start(w, "ftp_ana_abcd", false, NULL), outside = start(w, "..", false, NULL),
          stranger = start(w, "ftp_ana_abcd", false, "/bin/sleep");

    assert_int_equal(end_process(w, session), 1);
    assert_false(lives(session));
    assert_int_equal(end_process(w, outside), 0);
    assert_int_equal(end_process(w, stranger), 0);
    assert_true(lives(other) && lives(outside) && lives(stranger));
}

static void sessions_are_listed_with_folder(void **state) {
    World *w = *state;
    _cleanup_buffer_ Buffer b = { 0 };
    char begin[32];

    pid_t session = start(w, "ftp_ana_abcd/p1", false, NULL);
    start(w, "ftp_ana_abcd", false, "/bin/sleep");
    assert_int_equal(sessions_list(&w->program, w->data, &b), 0);
    snprintf(begin, sizeof(begin), "%d\t", (int) session);
    assert_true(has_prefix(b.data, begin));
    assert_non_null(strstr(b.data, "\tftp_ana_abcd\t"));
    assert_non_null(strstr(b.data, "\t/p1\t"));
    assert_ptr_equal(strchr(b.data, '\n'), b.data + b.size - 1); /* one line */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_sessions_of_one_account_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_accounts_end_at_once_and_each_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_does_not_listen_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_those_that_use_the_request_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_session_of_a_process_ends_if_it_is_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sessions_are_listed_with_folder, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
