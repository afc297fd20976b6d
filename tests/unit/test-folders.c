/* api/folders: the folder follows the state, from wherever a crash left it. Runs in a temporary data path. */
#include "api/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ACCOUNT "ftp_ana_abcd"

typedef struct Fixture {
    char path[64];
    int fd;
} Fixture;

static int set_up(void **state) {
    Fixture *f = calloc(1, sizeof(*f));
    const char *hint;

    strcpy(f->path, "/tmp/tempoftp-test-XXXXXX");
    if (!f || !mkdtemp(f->path) || chmod(f->path, 02750) < 0)
        return -1;
    *state = f;
    return folders_open(f->path, getegid(), &f->fd, &hint);
}

static int tear_down(void **state) {
    Fixture *f = *state;
    char command[128];

    close(f->fd);
    snprintf(command, sizeof(command), "rm -rf -- %s", f->path);
    int r = system(command);
    free(f);
    return r;
}

static bool there(const Fixture *f, const char *path) {
    struct stat st;
    return fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static mode_t mode_of(const Fixture *f, const char *path) {
    struct stat st;
    assert_int_equal(fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st.st_mode & 07777;
}

static Request request(State s) {
    Request r = { .life = 7, .state = s };
    strcpy(r.id, "demo");
    if (s != STATE_RECIBIDO && s != STATE_PREPARANDO && s != STATE_TRASLADO)
        strcpy(r.account, ACCOUNT);
    return r;
}

static void settle(Fixture *f, State s) {
    Request r = request(s);
    assert_int_equal(folders_settle(f->fd, &r), 0);
    assert_int_equal(folders_settle(f->fd, &r), 0); /* idempotent */
}

static void touch(const Fixture *f, const char *path) {
    int fd = openat(f->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void drops_come_and_go(void **state) {
    Fixture *f = *state;

    assert_int_equal(folders_drop_take(f->fd, ACCOUNT, "demo", 7), 0); /* none there: fine */
    assert_false(folders_drop_pending(f->fd, "demo", 7));
    for (int i = 0; i < 3; i++) { /* nobody purges meanwhile: they gather */
        assert_int_equal(folders_drop_make(f->fd, ACCOUNT), 0);
        assert_int_equal(folders_drop_make(f->fd, ACCOUNT), 0);
        assert_int_equal(mode_of(f, ACCOUNT), 02750);
        assert_int_equal(mode_of(f, ACCOUNT "/_buzon"), 02770);
        touch(f, ACCOUNT "/_buzon/file");
        assert_int_equal(folders_drop_take(f->fd, ACCOUNT, "demo", 7), 0);
        assert_false(folders_drop_exists(f->fd, ACCOUNT));
        assert_false(there(f, ACCOUNT)); /* it was the last thing in it */
    }
    assert_true(folders_drop_pending(f->fd, "demo", 7));
    assert_int_equal(mode_of(f, ".purge/_buzon.demo.7"), 02770);
    assert_true(there(f, ".purge/_buzon.demo.7/file")); /* renamed: nothing is made for it, the disk may be full */
    assert_true(there(f, ".purge/_buzon.demo.7/0/file"));
    assert_true(there(f, ".purge/_buzon.demo.7/1/file"));
    assert_int_equal(symlinkat("/tmp", f->fd, ACCOUNT), 0); /* never through a link */
    assert_true(folders_drop_make(f->fd, ACCOUNT) < 0);
}

static void the_whole_life(void **state) {
    Fixture *f = *state;
    Request r = request(STATE_PREPARANDO);

    assert_int_equal(folders_stage(f->fd, &r), 0);
    assert_int_equal(mode_of(f, ".staging/demo.7"), 02770);
    settle(f, STATE_LISTO);
    assert_false(there(f, ".staging/demo.7"));
    assert_int_equal(mode_of(f, ACCOUNT "/demo"), 02750);
    settle(f, STATE_BLOQUEADO);
    assert_false(there(f, ACCOUNT "/demo"));
    assert_true(there(f, ".blocked/demo.7"));
    settle(f, STATE_LISTO);
    assert_true(there(f, ACCOUNT "/demo"));
    settle(f, STATE_EXPIRADO);
    assert_int_equal(mode_of(f, ".purge/demo.7"), 02770);
    assert_false(there(f, ACCOUNT)); /* the home went with its last request */
    assert_true(folders_purge_pending(f->fd, "demo", 7));
    assert_false(folders_purge_pending(f->fd, "demo", 8));
}

static void what_was_moved_before_its_commit_goes_back(void **state) {
    Fixture *f = *state;
    Request copied = request(STATE_TRASLADO), ended = request(STATE_ELIMINADO);

    copied.account[0] = ended.account[0] = '\0'; /* as the database knows them: no commit, no account */
    assert_int_equal(folders_stage(f->fd, &copied), 0);
    assert_int_equal(folders_take_back(f->fd, &copied, ACCOUNT), 0);
    assert_true(there(f, ".staging/demo.7"));
    settle(f, STATE_LISTO);
    assert_int_equal(folders_take_back(f->fd, &copied, ACCOUNT), 0);
    assert_int_equal(mode_of(f, ".staging/demo.7"), 02770);
    assert_false(there(f, ACCOUNT));
    assert_int_equal(folders_settle(f->fd, &ended), 0);
    assert_true(there(f, ".purge/demo.7"));
    assert_int_equal(folders_take_back(f->fd, &copied, ACCOUNT), 0);
}

static void until_it_is_moved_a_purge_is_ahead(void **state) {
    Fixture *f = *state;
    Request staged = request(STATE_TRASLADO), ended = request(STATE_ELIMINADO), served = request(STATE_LISTO);

    assert_false(folders_purge_ahead(f->fd, &ended, true));
    assert_int_equal(folders_stage(f->fd, &staged), 0);
    assert_true(folders_purge_ahead(f->fd, &ended, true));
    assert_true(folders_purge_ahead(f->fd, &ended, false));
    assert_int_equal(folders_settle(f->fd, &served), 0);
    assert_true(folders_purge_ahead(f->fd, &ended, true));
    assert_false(folders_purge_ahead(f->fd, &ended, false)); /* a newer request's */
    assert_int_equal(folders_settle(f->fd, &ended), 0);
    assert_false(folders_purge_ahead(f->fd, &ended, true));
    assert_true(folders_purge_pending(f->fd, "demo", 7));
}

static void every_state_to_its_place_from_every_place(void **state) {
    static const struct {
        State s;
        const char *place;
    } places[] = { { STATE_LISTO, ACCOUNT "/demo" },
                   { STATE_BLOQUEADO, ".blocked/demo.7" },
                   { STATE_EXPIRADO, ".purge/demo.7" },
                   { STATE_ELIMINADO, ".purge/demo.7" },
                   { STATE_ERROR, ".purge/demo.7" } };
    Fixture *f = *state;

    for (size_t from = 0; from < ELEMENTS(places); from++)
        for (size_t to = 0; to < ELEMENTS(places); to++) {
            mkdirat(f->fd, ACCOUNT, 02750);
            assert_int_equal(mkdirat(f->fd, places[from].place, 0700), 0);
            settle(f, places[to].s);
            assert_true(there(f, places[to].place));
            assert_int_equal(unlinkat(f->fd, places[to].place, AT_REMOVEDIR), 0);
        }
}

static void a_restart_takes_the_folder_back(void **state) {
    Fixture *f = *state;
    Request r = request(STATE_TRASLADO);

    strcpy(r.account, ACCOUNT); /* crash between the rename and the commit of listo */
    assert_int_equal(mkdirat(f->fd, ACCOUNT, 02750), 0);
    assert_int_equal(mkdirat(f->fd, ACCOUNT "/demo", 02750), 0);
    assert_int_equal(mkdirat(f->fd, ACCOUNT "/demo/data", 0750), 0);
    assert_int_equal(folders_stage(f->fd, &r), 0);
    assert_true(there(f, ".staging/demo.7/data"));
    assert_int_equal(mode_of(f, ".staging/demo.7"), 02770);
}

static void what_stands_in_the_way_goes_to_purge(void **state) {
    Fixture *f = *state;
    Request r = request(STATE_PREPARANDO);

    assert_int_equal(mkdirat(f->fd, ACCOUNT, 02750), 0);
    assert_int_equal(mkdirat(f->fd, ACCOUNT "/demo", 02750), 0);
    assert_int_equal(mkdirat(f->fd, ACCOUNT "/demo/old", 0750), 0);
    assert_int_equal(folders_stage(f->fd, &r), 0);
    assert_int_equal(mkdirat(f->fd, ".staging/demo.7/new", 0750), 0);
    Request ready = request(STATE_LISTO);
    /* places are looked at in the order staging, home: the copy wins, the stranger moves */
    assert_int_equal(folders_settle(f->fd, &ready), 0);
    assert_true(there(f, ACCOUNT "/demo/new"));
    assert_false(there(f, ACCOUNT "/demo/old"));
    assert_true(there(f, ".purge/orphan-0.7/old"));
}

static void links_are_not_followed(void **state) {
    Fixture *f = *state;
    Request r = request(STATE_PREPARANDO);

    assert_int_equal(symlinkat("/", f->fd, ".staging/demo.7"), 0);
    assert_true(folders_stage(f->fd, &r) < 0);
}

static void a_wrong_data_path_says_what_to_do(void **state) {
    Fixture *f = *state;
    const char *hint = NULL;
    int fd;

    assert_true(folders_open("/nonexistent", getegid(), &fd, &hint) == -ENOENT);
    assert_non_null(strstr(hint, "install -d"));
    assert_int_equal(folders_open(f->path, getegid() + 1, &fd, &hint), -EPERM);
    assert_non_null(strstr(hint, "chown"));
}

static int count(char kind, const char *name, void *userdata) {
    unsigned *counts = userdata;
    counts[(unsigned char) kind]++;
    return 0;
}

static void a_walk_finds_all(void **state) {
    Fixture *f = *state;
    unsigned counts[256] = { 0 };

    mkdirat(f->fd, ".staging/a.1", 0700);
    mkdirat(f->fd, ".blocked/b.2", 0700);
    mkdirat(f->fd, ".purge/c.3", 0700);
    mkdirat(f->fd, ACCOUNT, 0750);
    mkdirat(f->fd, ACCOUNT "/d", 0750);
    mkdirat(f->fd, "lost+found", 0700); /* somebody else's */
    assert_int_equal(folders_walk(f->fd, count, counts), 0);
    assert_int_equal(counts['s'], 1);
    assert_int_equal(counts['b'], 1);
    assert_int_equal(counts['p'], 1);
    assert_int_equal(counts['h'], 1);
}

#define FOLDERS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDERS_TEST(the_whole_life),
        FOLDERS_TEST(what_was_moved_before_its_commit_goes_back),
        FOLDERS_TEST(until_it_is_moved_a_purge_is_ahead),
        FOLDERS_TEST(every_state_to_its_place_from_every_place),
        FOLDERS_TEST(a_restart_takes_the_folder_back),
        FOLDERS_TEST(what_stands_in_the_way_goes_to_purge),
        FOLDERS_TEST(links_are_not_followed),
        FOLDERS_TEST(a_wrong_data_path_says_what_to_do),
        FOLDERS_TEST(a_walk_finds_all),
        FOLDERS_TEST(drops_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
