/* What a callback reported is on disk, whenever the process dies: a child writes and says so
 * over a pipe, and is killed at a random moment, again and again on the same database. The seed
 * of the moments is printed; STORE_CRASH_SEED repeats it. */
#include "store-fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 60
#define AT_ONCE 24
#define KILL_WITHIN_US 25000

/* ---- the child ---- */

typedef struct Work {
    Store *store;
    int pipe;
    unsigned round, *number;
    NewRequest n;
    Request row;
} Work;

static int work_run(StoreTx *tx, void *userdata) {
    Work *w = userdata;
    int r;

    r = tx_insert(tx, &w->n, &test_actor, &w->row);
    /* Three changes in one job: all of them or none. */
    if (r >= 0)
        r = tx_move(tx, &w->row, STATE_PREPARANDO, "uno", &test_actor, NULL);
    return r < 0 ? r : tx_move(tx, &w->row, STATE_ERROR, "dos", &test_actor, NULL);
}

static void work_done(void *userdata, int r);

static void work_submit(Work *w) {
    snprintf(w->n.id, sizeof(w->n.id), "r%u-%u", w->round, (*w->number)++);
    if (store_write(w->store, work_run, work_done, w) < 0)
        _exit(1);
}

static void work_done(void *userdata, int r) {
    Work *w = userdata;

    if (r < 0 || write(w->pipe, &w->row.life, sizeof(w->row.life)) != sizeof(w->row.life))
        _exit(1);
    request_done(&w->row);
    work_submit(w);
}

static void child(const char *path, int pipe_fd, unsigned round) {
    Work work[AT_ONCE];
    unsigned number = 0;
    Store *s = NULL;

    if (store_open(path, &s) < 0)
        _exit(1);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        work[i] = (Work) { .store = s, .pipe = pipe_fd, .round = round, .number = &number, .n = new_request("", "a@b.org") };
        work_submit(&work[i]);
    }
    for (;;) {
        struct pollfd p = { .fd = store_fd(s), .events = POLLIN };

        (void) poll(&p, 1, -1);
        store_dispatch(s);
    }
}

/* ---- the parent ---- */

typedef struct Lives {
    uint64_t *values;
    size_t size, allocated;
} Lives;

static void collect_reports(int fd, Lives *lives) {
    uint64_t batch[512];
    ssize_t n;

    while ((n = read(fd, batch, sizeof(batch))) > 0) {
        size_t count = (size_t) n / sizeof(*batch);

        assert_int_equal((size_t) n % sizeof(*batch), 0); /* writes this small to a pipe are whole */
        if (lives->size + count > lives->allocated) {
            lives->allocated = 2 * (lives->size + count);
            lives->values = realloc(lives->values, lives->allocated * sizeof(*lives->values));
            assert_non_null(lives->values);
        }
        memcpy(lives->values + lives->size, batch, count * sizeof(*batch));
        lives->size += count;
    }
    assert_int_equal(n, 0);
}

/* Lets the child die delay_us after its start (while it opens, recovers), in every other round
 * after its first report (while it writes). */
static void round_of(Fixture *f, unsigned round, unsigned delay_us, Lives *lives) {
    struct timespec delay = { .tv_nsec = (long) delay_us * 1000 };
    int fds[2], status;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        child(f->path, fds[1], round);
    }
    close(fds[1]);
    if (round % 2 == 1)
        assert_int_equal(poll(&(struct pollfd) { .fd = fds[0], .events = POLLIN }, 1, 60000), 1);
    nanosleep(&delay, NULL);
    assert_int_equal(kill(pid, SIGKILL), 0);
    collect_reports(fds[0], lives);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void integrity_is_ok(const char *path) {
    sqlite3_stmt *s = NULL;
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *) sqlite3_column_text(s, 0), "ok");
    sqlite3_finalize(s);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static int count_event(const Event *e, void *userdata) {
    unsigned *n = userdata;

    (*n)++;
    return 0;
}

/* Every row, reported or not, is whole: in its last state, with its three events. */
static int row_is_whole(const Request *r, void *userdata) {
    unsigned events = 0;

    assert_int_equal(r->state, STATE_ERROR);
    assert_int_equal(store_list_events(userdata, r->life, 0, count_event, &events), 0);
    assert_int_equal(events, 3);
    return 0;
}

static void reported_rows_survive_kill_9(void **state) {
    const char *given = getenv("STORE_CRASH_SEED");
    unsigned seed = given ? (unsigned) atoi(given) : (unsigned) time(NULL);
    Fixture *f = *state;
    Lives lives = { 0 };

    print_message("STORE_CRASH_SEED=%u\n", seed);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t before = lives.size;

        f->store = store_free(f->store);
        round_of(f, round, (unsigned) rand_r(&seed) % KILL_WITHIN_US, &lives);
        if (round % 10 == 9)
            integrity_is_ok(f->path);
        assert_int_equal(store_open(f->path, &f->store), 0);
        for (size_t i = before; i < lives.size; i++) {
            _cleanup_request_ Request r = { 0 };
            assert_int_equal(store_get_life(f->store, lives.values[i], &r), 0);
        }
    }
    for (size_t i = 0; i < lives.size; i++) {
        _cleanup_request_ Request r = { 0 };
        assert_int_equal(store_get_life(f->store, lives.values[i], &r), 0);
    }
    assert_int_equal(store_list(f->store, STATE_MAX, 0, SIZE_MAX, row_is_whole, f->store), 0);
    print_message("%zu rows reported in %d lives\n", lives.size, ROUNDS);
    assert_true(lives.size >= ROUNDS / 2);
    free(lives.values);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reported_rows_survive_kill_9, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
