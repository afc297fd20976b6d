/* The store as a whole: its file, its queue, what a callback may rely on.
 *
 * fdatasync() is this file's own: tests count it, hold it back to see what waits for it, and let it fail. */
#include "store-fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/syscall.h>

/* ---- the disk ---- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool closed;      /* syncs wait */
    unsigned waiting; /* … so many do */
    int fail;         /* errno for the next ones */
    unsigned count;
} disk = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

int fdatasync(int fd) {
    int fail;

    pthread_mutex_lock(&disk.mutex);
    disk.count++;
    disk.waiting++;
    pthread_cond_broadcast(&disk.changed);
    while (disk.closed)
        pthread_cond_wait(&disk.changed, &disk.mutex);
    disk.waiting--;
    fail = disk.fail;
    pthread_mutex_unlock(&disk.mutex);
    if (fail) {
        errno = fail;
        return -1;
    }
    return (int) syscall(SYS_fdatasync, fd);
}

static void disk_close(bool closed) {
    pthread_mutex_lock(&disk.mutex);
    disk.closed = closed;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.mutex);
}

static void disk_wait_for_sync(void) {
    pthread_mutex_lock(&disk.mutex);
    while (disk.waiting == 0)
        pthread_cond_wait(&disk.changed, &disk.mutex);
    pthread_mutex_unlock(&disk.mutex);
}

static void disk_fail(int error) {
    pthread_mutex_lock(&disk.mutex);
    disk.fail = error;
    pthread_mutex_unlock(&disk.mutex);
}

static unsigned disk_syncs(void) {
    unsigned n;

    pthread_mutex_lock(&disk.mutex);
    n = disk.count;
    pthread_mutex_unlock(&disk.mutex);
    return n;
}

/* ---- a job that inserts, and counts its callback ---- */

typedef struct Job {
    Store *store;
    char id[ID_MAX + 1];
    int fail; /* the job inserts, then says this */
    unsigned *done;
    int expected;     /* what the callback must be told */
    bool check_read;  /* the callback looks for the row */
    unsigned writes_more;
} Job;

static int job_run(StoreTx *tx, void *userdata) {
    Job *j = userdata;
    _cleanup_new_request_ NewRequest n = new_request(j->id, "ana@example.org");
    _cleanup_request_ Request row = { 0 };
    int r;

    r = tx_insert(tx, &n, &test_actor, &row);
    return r < 0 ? r : j->fail;
}

static void job_done(void *userdata, int r) {
    Job *j = userdata;
    _cleanup_request_ Request row = { 0 };

    assert_int_equal(r, j->expected);
    if (j->check_read)
        assert_int_equal(store_get(j->store, j->id, &row), r == 0 ? 0 : -ENOENT);
    if (j->writes_more > 0) {
        j->writes_more--;
        snprintf(j->id, sizeof(j->id), "again-%u", j->writes_more);
        assert_int_equal(store_write(j->store, job_run, job_done, j), 0);
    }
    if (j->done)
        (*j->done)++;
}

static Job *jobs_new(Store *s, unsigned n, const char *prefix, unsigned *done) {
    Job *jobs = calloc(n, sizeof(*jobs));

    assert_non_null(jobs);
    for (unsigned i = 0; i < n; i++) {
        jobs[i] = (Job) { .store = s, .done = done };
        snprintf(jobs[i].id, sizeof(jobs[i].id), "%s-%u", prefix, i);
    }
    return jobs;
}

static uint64_t count_all(Store *s) {
    uint64_t n = 0;

    assert_int_equal(store_count(s, STATE_MAX, &n), 0);
    return n;
}

/* ---- the file ---- */

static unsigned mode_of(const char *path, const char *suffix) {
    char whole[128];
    struct stat st;

    snprintf(whole, sizeof(whole), "%s%s", path, suffix);
    assert_int_equal(stat(whole, &st), 0);
    return st.st_mode & 07777;
}

static void files_are_private(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    mode_t before = umask(0);

    f->store = store_free(f->store);
    assert_int_equal(chmod(f->path, 0644), 0);
    fixture_reopen(f);
    assert_int_equal(insert(f->store, "a", "a@b.org", &r), 0);
    umask(before);
    assert_int_equal(mode_of(f->path, ""), 0600);
    assert_int_equal(mode_of(f->path, "-wal"), 0600);
    assert_int_equal(mode_of(f->path, "-shm"), 0600);
}

static void folder_open_to_others_is_refused(void **state) {
    Fixture *f = *state;
    Store *s = NULL;

    f->store = store_free(f->store);
    assert_int_equal(chmod(f->folder, 0770), 0);
    assert_int_equal(store_open(f->path, &s), -EPERM);
    assert_int_equal(chmod(f->folder, 01777), 0);
    assert_int_equal(store_open(f->path, &s), -EPERM);
    assert_int_equal(chmod(f->folder, 0700), 0);
    assert_null(s);
    fixture_reopen(f);
}

static void link_instead_of_file_is_refused(void **state) {
    Fixture *f = *state;
    char path[128];
    Store *s = NULL;

    snprintf(path, sizeof(path), "%s/link.db", f->folder);
    assert_int_equal(symlink("state.db", path), 0);
    assert_int_equal(store_open(path, &s), -ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_open("tmp/no-such-folder/state.db", &s), -ENOENT);
    assert_null(s);
}

static void second_store_is_refused(void **state) {
    Fixture *f = *state;
    Store *s = NULL;

    assert_int_equal(store_open(f->path, &s), -EBUSY);
    assert_null(s);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void sql(const char *path, const char *text) {
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void damaged_and_foreign_files_are_refused(void **state) {
    Fixture *f = *state;
    Store *s = NULL;

    f->store = store_free(f->store);
    write_file(f->path, "this is no database. ");
    assert_int_equal(store_open(f->path, &s), -EBADMSG);
    assert_int_equal(unlink(f->path), 0);
    sql(f->path, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    assert_int_equal(store_open(f->path, &s), -EBADMSG);
    sql(f->path, "SELECT x FROM theirs"); /* still theirs */
    assert_int_equal(unlink(f->path), 0);
    assert_null(s);
}

static void newer_version_is_refused(void **state) {
    Fixture *f = *state;
    Store *s = NULL;

    f->store = store_free(f->store);
    sql(f->path, "PRAGMA user_version = 1000");
    assert_int_equal(store_open(f->path, &s), -ENOTSUP);
    assert_null(s);
    sql(f->path, "PRAGMA user_version = 0; DROP TABLE requests"); /* and left as it was: the table is there to drop */
}

static void probe_notices_a_lost_file(void **state) {
    Fixture *f = *state;
    char aside[128];

    assert_int_equal(store_probe(f->store), 0);
    snprintf(aside, sizeof(aside), "%s.aside", f->path);
    assert_int_equal(rename(f->path, aside), 0);
    assert_int_equal(store_probe(f->store), -ENOENT);
    write_file(f->path, "");
    assert_int_equal(store_probe(f->store), -ESTALE);
    assert_int_equal(rename(aside, f->path), 0);
    assert_int_equal(store_probe(f->store), 0);
}

/* ---- the queue ---- */

static void callback_sees_its_effect(void **state) {
    Fixture *f = *state;
    unsigned done = 0;
    Job *jobs = jobs_new(f->store, 200, "seen", &done);

    for (unsigned i = 0; i < 200; i++) {
        jobs[i].check_read = true;
        (void) count_all(f->store); /* takes a snapshot that is about to be out of date */
        assert_int_equal(store_write(f->store, job_run, job_done, &jobs[i]), 0);
        if (i % 3 == 0)
            dispatch_until(f->store, &done, i + 1);
    }
    dispatch_until(f->store, &done, 200);
    assert_int_equal(count_all(f->store), 200);
    assert_true(store_is_idle(f->store));
    free(jobs);
}

static void waited_write_is_seen_by_the_next_read(void **state) {
    Fixture *f = *state;

    for (unsigned i = 0; i < 50; i++) {
        _cleanup_request_ Request r = { 0 };
        char id[16];

        snprintf(id, sizeof(id), "w-%u", i);
        assert_int_equal(insert(f->store, id, "a@b.org", &r), 0);
        assert_int_equal(count_all(f->store), i + 1);
    }
}

static void callback_may_write_again(void **state) {
    Fixture *f = *state;
    unsigned done = 0;
    Job job = { .store = f->store, .id = "first", .done = &done, .writes_more = 3 };

    assert_int_equal(store_write(f->store, job_run, job_done, &job), 0);
    assert_false(store_is_idle(f->store));
    dispatch_until(f->store, &done, 4);
    assert_true(store_is_idle(f->store));
    assert_int_equal(count_all(f->store), 4);
}

static void callback_waits_for_the_disk_and_groups_gather(void **state) {
    enum { N = 1000 };
    Fixture *f = *state;
    struct pollfd p = { .fd = store_fd(f->store), .events = POLLIN };
    StoreStatistics before, after;
    unsigned done = 0, syncs;
    Job *jobs = jobs_new(f->store, N + 1, "g", &done);

    store_statistics(f->store, &before);
    disk_close(true);
    assert_int_equal(store_write(f->store, job_run, job_done, &jobs[N]), 0);
    disk_wait_for_sync();
    syncs = disk_syncs();
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(store_write(f->store, job_run, job_done, &jobs[i]), 0);
    store_dispatch(f->store);
    assert_int_equal(done, 0); /* nobody is told before the disk has answered */
    assert_int_equal(poll(&p, 1, 0), 0);
    assert_int_equal(count_all(f->store), 0);
    disk_close(false);
    dispatch_until(f->store, &done, N + 1);
    store_statistics(f->store, &after);
    assert_int_equal(after.jobs - before.jobs, N + 1);
    assert_in_range(after.commits - before.commits, 2, 4);
    assert_in_range(disk_syncs() - syncs, 1, 10);
    assert_int_equal(count_all(f->store), N + 1);
    free(jobs);
}

static void failing_job_takes_nothing_else_with_it(void **state) {
    enum { N = 300 };
    Fixture *f = *state;
    unsigned done = 0;
    Job *jobs = jobs_new(f->store, N, "f", &done);
    Job head = { .store = f->store, .id = "head", .done = &done };

    disk_close(true); /* so that all of them share one transaction */
    assert_int_equal(store_write(f->store, job_run, job_done, &head), 0);
    disk_wait_for_sync();
    for (unsigned i = 0; i < N; i++) {
        jobs[i].fail = jobs[i].expected = i % 3 == 0 ? -ECANCELED : 0;
        jobs[i].check_read = true;
        assert_int_equal(store_write(f->store, job_run, job_done, &jobs[i]), 0);
    }
    disk_close(false);
    dispatch_until(f->store, &done, N + 1);
    assert_int_equal(count_all(f->store), 1 + N - N / 3);
    free(jobs);
}

static int nothing_run(StoreTx *tx, void *userdata) {
    return 0;
}

static void nothing_done(void *userdata, int r) {
    unsigned *done = userdata;

    assert_int_equal(r, 0);
    (*done)++;
}

static void queue_is_bounded(void **state) {
    Fixture *f = *state;
    unsigned done = 0;
    Job job = { .store = f->store, .id = "q", .done = &done };

    disk_close(true);
    assert_int_equal(store_write(f->store, job_run, job_done, &job), 0);
    disk_wait_for_sync(); /* the writer has taken it */
    for (unsigned i = 0; i < STORE_QUEUE_MAX; i++)
        assert_int_equal(store_write(f->store, nothing_run, nothing_done, &done), 0);
    assert_int_equal(store_write(f->store, nothing_run, nothing_done, &done), -EAGAIN);
    disk_close(false);
    dispatch_until(f->store, &done, STORE_QUEUE_MAX + 1);
    assert_int_equal(store_write(f->store, nothing_run, nothing_done, &done), 0); /* there is room again */
    dispatch_until(f->store, &done, STORE_QUEUE_MAX + 2);
}

static void free_commits_what_is_queued(void **state) {
    Fixture *f = *state;
    unsigned done = 0;
    Job *jobs = jobs_new(f->store, 700, "d", &done);

    for (unsigned i = 0; i < 700; i++)
        assert_int_equal(store_write(f->store, job_run, job_done, &jobs[i]), 0);
    fixture_reopen(f);
    assert_int_equal(done, 0);
    assert_int_equal(count_all(f->store), 700);
    free(jobs);
}

typedef struct Submitter {
    Store *store;
    unsigned number;
} Submitter;

static void *submit_and_wait(void *userdata) {
    Submitter *s = userdata;
    Job *jobs;
    char prefix[16];

    snprintf(prefix, sizeof(prefix), "t%u", s->number);
    jobs = jobs_new(s->store, 100, prefix, NULL);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(store_write_wait(s->store, job_run, &jobs[i]), 0);
    free(jobs);
    return NULL;
}

static void many_threads_share_commits(void **state) {
    Fixture *f = *state;
    Submitter submitters[16];
    pthread_t threads[16];
    StoreStatistics before, after;

    store_statistics(f->store, &before);
    for (unsigned i = 0; i < 16; i++) {
        submitters[i] = (Submitter) { .store = f->store, .number = i };
        assert_int_equal(pthread_create(&threads[i], NULL, submit_and_wait, &submitters[i]), 0);
    }
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    store_statistics(f->store, &after);
    assert_int_equal(after.jobs - before.jobs, 1600);
    assert_true(after.commits - before.commits < 1600);
    assert_int_equal(count_all(f->store), 1600);
    assert_true(store_is_idle(f->store));
}

/* Reads without a pause between writes without a pause: a snapshot is held at almost every moment. */
static void read_until(Store *s, const unsigned *done, unsigned to) {
    struct pollfd p = { .fd = store_fd(s), .events = POLLIN };

    while (*done < to) {
        for (unsigned i = 0; i < 20; i++) {
            _cleanup_request_ Request r = { 0 };
            assert_int_equal(store_get(s, "absent", &r), -ENOENT);
        }
        if (poll(&p, 1, 0) == 1)
            store_dispatch(s);
    }
}

/* … and still the log must not grow for ever. */
static void log_stays_bounded(void **state) {
    enum { N = 12000, WINDOW = 8 };
    Fixture *f = *state;
    char log[128];
    StoreStatistics st;
    struct stat file;
    unsigned done = 0;
    off_t largest = 0;
    Job *jobs = jobs_new(f->store, N, "log-entry-with-a-long-name-to-fill-more-pages", &done);

    snprintf(log, sizeof(log), "%s-wal", f->path);
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(store_write(f->store, job_run, job_done, &jobs[i]), 0);
        if (i >= WINDOW)
            read_until(f->store, &done, i - WINDOW);
        if (i % 100 == 0 && stat(log, &file) == 0 && file.st_size > largest)
            largest = file.st_size;
    }
    dispatch_until(f->store, &done, N);
    store_statistics(f->store, &st);
    assert_true(st.checkpoints > 0);
    assert_true(st.checkpoints_put_off <= st.checkpoints / 2 + 2); /* a loaded machine costs some */
    assert_true(largest < (off_t) 64 << 20);
    free(jobs);
}

/* ---- the disk says no ---- */

static void failed_sync_is_told_and_survived(void **state) {
    Fixture *f = *state;
    unsigned done = 0;
    Job bad = { .store = f->store, .id = "bad", .done = &done, .expected = -EIO, .check_read = true };
    Job good = { .store = f->store, .id = "good", .done = &done, .check_read = true };

    disk_fail(EIO);
    assert_int_equal(store_write(f->store, job_run, job_done, &bad), 0);
    dispatch_until(f->store, &done, 1);
    disk_fail(0);
    assert_int_equal(store_write(f->store, job_run, job_done, &good), 0);
    dispatch_until(f->store, &done, 2);
    fixture_reopen(f);
    assert_int_equal(count_all(f->store), 1);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(files_are_private),
        STORE_TEST(folder_open_to_others_is_refused),
        STORE_TEST(link_instead_of_file_is_refused),
        STORE_TEST(second_store_is_refused),
        STORE_TEST(damaged_and_foreign_files_are_refused),
        STORE_TEST(newer_version_is_refused),
        STORE_TEST(probe_notices_a_lost_file),
        STORE_TEST(callback_sees_its_effect),
        STORE_TEST(waited_write_is_seen_by_the_next_read),
        STORE_TEST(callback_may_write_again),
        STORE_TEST(callback_waits_for_the_disk_and_groups_gather),
        STORE_TEST(failing_job_takes_nothing_else_with_it),
        STORE_TEST(queue_is_bounded),
        STORE_TEST(free_commits_what_is_queued),
        STORE_TEST(many_threads_share_commits),
        STORE_TEST(log_stays_bounded),
        STORE_TEST(failed_sync_is_told_and_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
