/* A full disk is told to whoever writes, harms nothing, and is over when there is space again:
 * as a file-size limit, and as a small tmpfs. */
#include "store-fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

static uint64_t count_all(Store *s) {
    uint64_t n = 0;

    assert_int_equal(store_count(s, STATE_MAX, &n), 0);
    return n;
}

/* Inserts until it fails, and says with what; *ret_rows counts those that were told to be on disk. */
static int fill(Store *s, const char *prefix, uint64_t *ret_rows) {
    for (uint64_t i = 0;; i++) {
        _cleanup_request_ Request r = { 0 };
        char id[32];
        int e;

        snprintf(id, sizeof(id), "%s-%u", prefix, (unsigned) i);
        e = insert(s, id, "ana@example.org", &r);
        if (e < 0 || i == 100000) {
            *ret_rows = i;
            return e;
        }
    }
}

static void integrity_is_ok(const char *path) {
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *) sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void file_size_limit_is_a_full_disk(void **state) {
    Fixture *f = *state;
    struct rlimit before, small;
    uint64_t rows = 0, more = 0;
    _cleanup_request_ Request r = { 0 };

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 512 << 10;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(fill(f->store, "x", &rows), -ENOSPC);
    assert_int_equal(fill(f->store, "y", &more), -ENOSPC); /* again and again, without harm */
    assert_int_equal(count_all(f->store), rows + more);      /* reading goes on */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(insert(f->store, "z", "z@b.org", &r), 0); /* and writing too, once there is space */
    assert_int_equal(count_all(f->store), rows + more + 1);
    assert_true(rows > 0);
    fixture_reopen(f);
    assert_int_equal(count_all(f->store), rows + more + 1);
    f->store = store_free(f->store);
    integrity_is_ok(f->path);
}

/* In a child with a mount namespace of its own; exits 77 where mounting is not allowed. */
static void in_small_tmpfs(const char *folder) {
    char path[128], filler[128];
    _cleanup_(store_freep) Store *s = NULL;
    _cleanup_close_ int fd = -EBADF;
    _cleanup_request_ Request r = { 0 };
    uint64_t rows = 0;

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=2m,mode=0700") < 0)
        _exit(77);
    snprintf(path, sizeof(path), "%s/state.db", folder);
    snprintf(filler, sizeof(filler), "%s/filler", folder);
    assert_int_equal(store_open(path, &s), 0);
    fd = open(filler, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, 1 << 20), 0);
    assert_int_equal(fill(s, "x", &rows), -ENOSPC);
    assert_true(rows > 0);
    assert_int_equal(count_all(s), rows);
    assert_int_equal(unlink(filler), 0);
    close(TAKE_FD(fd));
    assert_int_equal(insert(s, "z", "z@b.org", &r), 0);
    assert_int_equal(count_all(s), rows + 1);
    s = store_free(s);
    integrity_is_ok(path);
}

static void full_disk_is_told_and_survived(void **state) {
    Fixture *f = *state;
    int status;
    pid_t child;

    f->store = store_free(f->store);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        in_small_tmpfs(f->folder);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77 && geteuid() != 0)
        print_message("not allowed to mount a tmpfs here: the file-size limit above stands for it\n");
    else
        assert_int_equal(WEXITSTATUS(status), 0);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(file_size_limit_is_a_full_disk),
        STORE_TEST(full_disk_is_told_and_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
