/* The audit trail: in order, complete, and not to be altered; and the durable tasks, rate
 * windows and notes beside it. */
#include "store-fixture.h"

#include "basic/strings.h"

#include <sqlite3.h>

typedef struct Trail {
    char text[1024];
    uint64_t last;
    unsigned n;
} Trail;

static int collect_event(const Event *e, void *userdata) {
    Trail *t = userdata;
    size_t length = strlen(t->text);

    assert_int_equal(e->at, START);
    assert_string_equal(e->actor, "test");
    assert_string_equal(e->request_id, "req-1");
    snprintf(t->text + length, sizeof(t->text) - length, "%u:%s:%s ", (unsigned) e->n, state_name(e->state), e->message ? e->message : "-");
    t->last = e->n;
    t->n++;
    return 0;
}

static void every_change_is_written_down(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 }, other = { 0 };
    Trail all = { 0 }, rest = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    assert_int_equal(insert(f->store, "y", "a@b.org", &other), 0);
    move_to_listo(f->store, &r, START + 100);
    assert_int_equal(move(f->store, &r, STATE_MAX, NULL), 0); /* an update that nobody needs to know */
    assert_int_equal(move(f->store, &r, STATE_MAX, "2 días más"), 0);
    assert_int_equal(move(f->store, &r, STATE_ELIMINADO, "adiós"), 0);
    assert_int_equal(store_list_events(f->store, r.life, 0, collect_event, &all), 0);
    assert_string_equal(all.text, "1:recibido:- 2:preparando:- 3:traslado:- 4:listo:- 5:listo:2 días más 6:eliminado:adiós ");
    assert_int_equal(store_list_events(f->store, r.life, 4, collect_event, &rest), 0);
    assert_string_equal(rest.text, "5:listo:2 días más 6:eliminado:adiós ");
}

static void refused_move_leaves_no_event(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    Trail all = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    assert_int_equal(move(f->store, &r, STATE_LISTO, "no"), -EPERM);
    assert_int_equal(store_list_events(f->store, r.life, 0, collect_event, &all), 0);
    assert_string_equal(all.text, "1:recibido:- ");
}

static void trail_cannot_be_altered(void **state) {
    static const char *const attempts[] = {
        "UPDATE events SET actor = 'me' WHERE n = 1",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events (life, n, at, state, actor) VALUES (1, 1, 0, 'listo', 'me')",
        "INSERT INTO events (life, n, at, state, actor) VALUES (1, 1, 0, 'listo', 'me')",
        "INSERT INTO events (life, n, at, state, actor) VALUES (1, 5, 0, 'listo', 'me')",
        "INSERT INTO events (life, n, at, state, actor) VALUES (77, 1, 0, 'listo', 'me')",
        "DELETE FROM requests",
        "UPDATE requests SET state = 'perdido'",
    };
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    sqlite3 *db = NULL;
    Trail all = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    assert_int_equal(move(f->store, &r, STATE_PREPARANDO, NULL), 0);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA foreign_keys=ON", NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < ELEMENTS(attempts); i++)
        assert_int_equal(sqlite3_exec(db, attempts[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
    sqlite3_close(db);
    assert_int_equal(store_list_events(f->store, r.life, 0, collect_event, &all), 0);
    assert_string_equal(all.text, "1:recibido:- 2:preparando:- ");
}

typedef struct Flood {
    Request *r;
    unsigned n;
} Flood;

static int flood_job(StoreTx *tx, void *userdata) {
    Flood *flood = userdata;
    int r = 0;

    for (unsigned i = 0; i < flood->n && r >= 0; i++)
        r = tx_update(tx, flood->r, "otra vez", &test_actor, NULL);
    return r;
}

static void trail_is_bounded_but_ends_are_always_written(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    Flood flood = { .r = &r, .n = STORE_EVENTS_MAX - 4 };
    Trail end = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    move_to_listo(f->store, &r, START + 100);
    assert_int_equal(store_write_wait(f->store, flood_job, &flood), 0);
    assert_int_equal(move(f->store, &r, STATE_MAX, "una más"), -EDQUOT);
    assert_int_equal(move(f->store, &r, STATE_BLOQUEADO, "basta"), 0);
    assert_int_equal(move(f->store, &r, STATE_LISTO, NULL), -EDQUOT);
    assert_int_equal(move(f->store, &r, STATE_ELIMINADO, NULL), 0);
    assert_int_equal(store_list_events(f->store, r.life, STORE_EVENTS_MAX, collect_event, &end), 0);
    assert_string_equal(end.text, "10001:bloqueado:basta 10002:eliminado:- ");
}

/* ---- tasks ---- */

static int put_task_job(StoreTx *tx, void *userdata) {
    return tx_task_put(tx, userdata);
}

static int remove_task_job(StoreTx *tx, void *userdata) {
    const Task *t = userdata;
    return tx_task_remove(tx, t->life, t->kind);
}

static int collect_task(const Task *t, void *userdata) {
    char *text = userdata;
    size_t length = strlen(text);

    snprintf(text + length, 256 - length, "%s/%s/%u ", t->id, t->kind == TASK_PURGE ? "purge" : "drop", t->tries);
    return 0;
}

static void assert_tasks(Store *s, int64_t now, const char *expected) {
    char text[256] = "";

    assert_int_equal(store_list_tasks(s, now, collect_task, text), 0);
    assert_string_equal(text, expected);
}

static void tasks_are_kept_until_done(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request a = { 0 }, b = { 0 };
    Task purge, drop, later;

    assert_int_equal(insert(f->store, "a", "a@b.org", &a), 0);
    assert_int_equal(insert(f->store, "b", "a@b.org", &b), 0);
    purge = (Task) { .life = a.life, .kind = TASK_PURGE, .not_before = START };
    drop = (Task) { .life = a.life, .kind = TASK_DROP, .not_before = START - 5 };
    later = (Task) { .life = b.life, .kind = TASK_PURGE, .not_before = START + 60 };
    assert_int_equal(store_write_wait(f->store, put_task_job, &purge), 0);
    assert_int_equal(store_write_wait(f->store, put_task_job, &drop), 0);
    assert_int_equal(store_write_wait(f->store, put_task_job, &later), 0);
    fixture_reopen(f);
    assert_tasks(f->store, START - 6, "");
    assert_tasks(f->store, START, "a/drop/0 a/purge/0 ");
    assert_tasks(f->store, START + 60, "a/drop/0 a/purge/0 b/purge/0 ");
    purge.tries = 3;
    purge.not_before = START + 100; /* one of a kind per life */
    assert_int_equal(store_write_wait(f->store, put_task_job, &purge), 0);
    assert_tasks(f->store, START + 99, "a/drop/0 b/purge/0 ");
    assert_int_equal(store_write_wait(f->store, remove_task_job, &drop), 0);
    assert_int_equal(store_write_wait(f->store, remove_task_job, &drop), 0); /* done is done */
    assert_tasks(f->store, INT64_MAX, "b/purge/0 a/purge/3 ");
    later.life = 4711;
    assert_int_equal(store_write_wait(f->store, put_task_job, &later), -EINVAL);
}

/* ---- rates ---- */

typedef struct Windows {
    const char *prefix;
    unsigned n;
} Windows;

static int rates_job(StoreTx *tx, void *userdata) {
    const Windows *w = userdata;
    int r = tx_rates_replace_begin(tx);

    for (unsigned i = 0; i < w->n && r >= 0; i++) {
        char key[64];

        snprintf(key, sizeof(key), "%s-%u", w->prefix, i);
        r = tx_rate_put(tx, key, INT64_C(1700000000123) + i, i + 1);
    }
    return r;
}

static int collect_rate(const char *key, int64_t opened, uint32_t calls, void *userdata) {
    unsigned *n = userdata;

    assert_true(has_prefix(key, "b-"));
    assert_int_equal(opened, INT64_C(1700000000122) + calls);
    (*n)++;
    return 0;
}

static void rates_are_replaced_whole(void **state) {
    Fixture *f = *state;
    unsigned n = 0;

    assert_int_equal(store_write_wait(f->store, rates_job, &(Windows) { "a", 10 }), 0);
    assert_int_equal(store_write_wait(f->store, rates_job, &(Windows) { "b", 3 }), 0);
    fixture_reopen(f);
    assert_int_equal(store_list_rates(f->store, collect_rate, &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(store_write_wait(f->store, rates_job, &(Windows) { "c", STORE_RATES_MAX + 1 }), -E2BIG);
    n = 0;
    assert_int_equal(store_list_rates(f->store, collect_rate, &n), 0);
    assert_int_equal(n, 3); /* a failed replacement leaves the old ones */
}

/* ---- notes ---- */

static int note_job(StoreTx *tx, void *userdata) {
    return tx_note_put(tx, "clock", userdata);
}

static void notes_are_kept_over_a_restart(void **state) {
    Fixture *f = *state;
    _cleanup_free_ char *first = NULL, *second = NULL, *none = NULL;

    assert_int_equal(store_write_wait(f->store, note_job, (char[]) { "one" }), 0);
    assert_int_equal(store_note(f->store, "clock", &first), 0);
    assert_string_equal(first, "one");
    assert_int_equal(store_write_wait(f->store, note_job, (char[]) { "two" }), 0);
    fixture_reopen(f);
    assert_int_equal(store_note(f->store, "clock", &second), 0);
    assert_string_equal(second, "two");
    assert_int_equal(store_note(f->store, "other", &none), -ENOENT);
    assert_null(none);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(every_change_is_written_down),
        STORE_TEST(refused_move_leaves_no_event),
        STORE_TEST(trail_cannot_be_altered),
        STORE_TEST(trail_is_bounded_but_ends_are_always_written),
        STORE_TEST(tasks_are_kept_until_done),
        STORE_TEST(rates_are_replaced_whole),
        STORE_TEST(notes_are_kept_over_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
