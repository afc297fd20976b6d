/* Sums that are kept say what counting would, whatever happened: moves, failures, ends, and a database that is older than they are. */
#include "store-fixture.h"

#include "basic/strings.h"
#include "store/connection.h"
#include "store/schema.h"

#include <fcntl.h>

static int64_t counted(Fixture *f, const char *sql) {
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    int64_t value;

    assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return value;
}

/* The kept sums, each held against what the rows say. */
static StoreTotals look(Fixture *f) {
    StoreTotals t;
    uint64_t all = 0, n;

    assert_int_equal(store_totals(f->store, &t), 0);
    for (State s = 0; s < STATE_MAX; s++) {
        char sql[96];
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM requests WHERE state = '%s'", state_name(s));
        assert_int_equal(t.requests[s], counted(f, sql));
        assert_int_equal(store_count(f->store, s, &n), 0);
        assert_int_equal(n, t.requests[s]);
        all += s == STATE_ELIMINADO ? 0 : n;
    }
    for (ExportState s = 0; s < EXPORT_STATE_MAX; s++) {
        char sql[96];
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM exports WHERE state = '%s'", export_state_name(s));
        assert_int_equal(t.exports[s], counted(f, sql));
    }
    assert_int_equal(store_count(f->store, STATE_MAX, &n), 0);
    assert_int_equal(n, all);
    assert_int_equal(t.received, counted(f, "SELECT count(*) FROM requests"));
    assert_int_equal(t.downloaded_bytes, counted(f, "SELECT coalesce(sum(download_bytes), 0) FROM requests"));
    assert_int_equal(t.tasks, counted(f, "SELECT count(*) FROM tasks"));
    assert_int_equal(t.access_tasks, counted(f, "SELECT count(*) FROM access_tasks"));
    return t;
}

static void moves_are_summed_up(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request other = { 0 };
    Request r[4] = { 0 };
    StoreTotals t = look(f);

    assert_int_equal(t.received, 0);
    for (unsigned i = 0; i < ELEMENTS(r); i++) {
        char id[8];
        snprintf(id, sizeof(id), "r%u", i);
        assert_int_equal(insert(f->store, id, "a@b.org", &r[i]), 0);
        r[i].bytes = 1000 + i;
        r[i].files = 10;
    }
    assert_int_equal(insert(f->store, "r0", "a@b.org", &other), -EEXIST); /* and counts nothing */
    t = look(f);
    assert_int_equal(t.requests[STATE_RECIBIDO], 4);
    move_to_listo(f->store, &r[0], START + 100);
    move_to_listo(f->store, &r[1], START + 100);
    assert_int_equal(move(f->store, &r[2], STATE_PREPARANDO, NULL), 0);
    assert_int_equal(move(f->store, &r[2], STATE_ERROR, "no"), 0);
    assert_int_equal(move(f->store, &r[3], STATE_ELIMINADO, NULL), 0);
    t = look(f);
    assert_int_equal(t.transfers_done, 2);
    assert_int_equal(t.transfers_failed, 1);
    assert_int_equal(t.copied_bytes, 2001);
    assert_int_equal(t.copied_files, 20);
    assert_int_equal(t.requests[STATE_LISTO], 2);

    /* In and out of bloqueado is no transfer. */
    assert_int_equal(move(f->store, &r[0], STATE_BLOQUEADO, "x"), 0);
    assert_int_equal(move(f->store, &r[0], STATE_LISTO, NULL), 0);
    assert_int_equal(move(f->store, &r[0], STATE_MAX, "an update"), 0);
    assert_int_equal(move(f->store, &r[1], STATE_EXPIRADO, NULL), 0);
    t = look(f);
    assert_int_equal(t.transfers_done, 2);
    assert_int_equal(t.copied_bytes, 2001);
    assert_int_equal(t.received, 4);
    fixture_reopen(f);
    assert_int_equal(look(f).copied_bytes, 2001);
    for (unsigned i = 0; i < ELEMENTS(r); i++)
        request_done(&r[i]);
}

static int fails_job(StoreTx *tx, void *userdata) {
    Request *r = userdata;
    State actual;

    int k = tx_move(tx, r, STATE_PREPARANDO, NULL, &test_actor, &actual);
    return k < 0 ? k : -ECANCELED;
}

static void what_is_undone_is_not_counted(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    assert_int_equal(store_write_wait(f->store, fails_job, &r), -ECANCELED);
    assert_int_equal(look(f).requests[STATE_RECIBIDO], 1);
}

typedef struct Work {
    uint64_t life;
    bool undo;
} Work;

static int work_job(StoreTx *tx, void *userdata) {
    Work *w = userdata;
    Task t = { .life = w->life, .kind = TASK_PURGE };
    uint64_t n;

    int r = w->undo ? tx_task_remove(tx, w->life, TASK_PURGE) : tx_task_put(tx, &t);
    if (r >= 0 && !w->undo)
        r = tx_task_put(tx, &t); /* the same one again */
    if (r >= 0)
        r = w->undo ? tx_access_task_done(tx, "ftp_a_bcde", 2) : tx_access_task_put(tx, "ftp_a_bcde", START, &n);
    if (r >= 0 && !w->undo)
        r = tx_access_task_put(tx, "ftp_a_bcde", START, &n);
    return r >= 0 && !w->undo ? tx_download_add(tx, w->life, "192.0.2.1", 500, 1, START) : r;
}

static void what_is_to_be_done_and_what_was_fetched(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    StoreTotals t;

    assert_int_equal(put_account(f->store, "ftp_a_bcde", "a@b.org", NULL, NULL), 0);
    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    Work w = { .life = r.life };
    assert_int_equal(store_write_wait(f->store, work_job, &w), 0);
    t = look(f);
    assert_int_equal(t.tasks, 1);
    assert_int_equal(t.access_tasks, 1);
    assert_int_equal(t.downloaded_bytes, 500);
    w.undo = true;
    assert_int_equal(store_write_wait(f->store, work_job, &w), 0);
    t = look(f);
    assert_int_equal(t.tasks + t.access_tasks, 0);
}

/* The version before the sums: what its rows say is where they begin. */
static void an_older_database_is_counted_once(void **state) {
    Fixture *f = *state;
    size_t before = 0;
    int fd = -EBADF;
    Connection *c = NULL;

    f->store = store_free(f->store);
    assert_int_equal(unlink(f->path), 0);
    for (size_t i = 0; i < schema_version; i++)
        if (strstr(schema_migrations[i], "CREATE TABLE totals"))
            before = i;
    assert_true(before > 0);
    fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(connection_open(f->path, CONNECTION_WRITER, NULL, &c), 0);
    assert_int_equal(schema_migrate(c, schema_migrations, before), 0);
    assert_int_equal(connection_execute(c, "INSERT INTO accounts (name, email, created) VALUES ('ftp_a_bcde', 'a@b.org', 5);"
                                           "INSERT INTO requests (state, id, email, ruta, vigencia, created, ready, bytes, files, download_bytes) VALUES "
                                           "('listo', 'x', 'a@b.org', 'h:/x', 5, 5, 6, 100, 2, 50), ('expirado', 'y', 'a@b.org', 'h:/y', 5, 5, 6, 10, 1, 0),"
                                           "('error', 'z', 'a@b.org', 'h:/z', 5, 5, 0, 77, 1, 0), ('eliminado', 'x', 'a@b.org', 'h:/x', 5, 5, 0, 0, 0, 0);"
                                           "INSERT INTO tasks VALUES (2, 'purge', 0, 0)"), 0);
    connection_free(c);
    assert_int_equal(store_open(f->path, &f->store), 0);
    StoreTotals t = look(f);
    assert_int_equal(t.transfers_done, 2);
    assert_int_equal(t.transfers_failed, 1);
    assert_int_equal(t.copied_bytes, 110);
    assert_int_equal(t.copied_files, 3);
    assert_int_equal(t.received, 4);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    static const struct CMUnitTest tests[] = {
        STORE_TEST(moves_are_summed_up),
        STORE_TEST(what_is_undone_is_not_counted),
        STORE_TEST(what_is_to_be_done_and_what_was_fetched),
        STORE_TEST(an_older_database_is_counted_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
