/* tempoftpd and an account back end that is away, refuses, hangs or holds what nobody expects: a whole event loop, the store and a back end that does as the
 * test says. */
#include "store-fixture.h"

#include "api/access.h"
#include "api/account_calls.h"
#include "api/account_rows.h"
#include "api/transfers.h"
#include "basic/strings.h"
#include "basic/time.h"

#include <pthread.h>

#define ANA "ftp_ana_abcd"
#define PATIENCE_MS 60000

/* What the test says to the back end, and what it was asked. */
typedef struct Scripted {
    AccountBackend backend;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int answer;           /* to every call */
    bool held;            /* calls wait until it is false */
    unsigned at_once, most_at_once;
    char calls[512];      /* "set:1:500 ensure:1:500 remove …" */
    const AccountRow *rows;
    size_t n_rows;
} Scripted;

typedef struct World {
    Fixture *store;
    Scripted scripted;
    Settings settings;
    Manager m;
} World;

static int scripted_call(AccountBackend *b, AccountTrouble *ret_trouble, const char *format, ...) _printf_(3, 4);
static int scripted_call(AccountBackend *b, AccountTrouble *ret_trouble, const char *format, ...) {
    Scripted *s = (Scripted *) b;
    va_list ap;

    (void) pthread_mutex_lock(&s->mutex);
    if (++s->at_once > s->most_at_once)
        s->most_at_once = s->at_once;
    (void) pthread_cond_broadcast(&s->changed);
    while (s->held)
        (void) pthread_cond_wait(&s->changed, &s->mutex);
    size_t n = strlen(s->calls);
    va_start(ap, format);
    (void) vsnprintf(s->calls + n, sizeof(s->calls) - n, format, ap);
    va_end(ap);
    s->at_once--;
    int r = s->answer;
    (void) pthread_mutex_unlock(&s->mutex);
    if (r < 0)
        snprintf(ret_trouble->text, sizeof(ret_trouble->text), "scripted: %d", r);
    return r;
}

static int scripted_ensure(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble) {
    *ret_changed = false;
    return scripted_call(b, ret_trouble, "ensure:%s ", wish->known_hash);
}

static int scripted_set_access(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble) {
    int r = scripted_call(b, ret_trouble, "set:%d:%d ", wish->enabled, (int) (wish->expires - START));
    *ret_changed = r >= 0;
    return r;
}

static int scripted_remove(AccountBackend *b, const AccountWish *wish, AccountTrouble *ret_trouble) {
    return scripted_call(b, ret_trouble, "remove:%s ", wish->name);
}

static int scripted_list(AccountBackend *b, AccountRowWalk walk, void *userdata, AccountTrouble *ret_trouble) {
    const Scripted *s = (Scripted *) b;
    int r = scripted_call(b, ret_trouble, "list ");

    for (size_t i = 0; r == 0 && i < s->n_rows; i++)
        r = walk(&s->rows[i], userdata);
    return r;
}

static int scripted_probe(AccountBackend *b, AccountTrouble *ret_trouble) {
    return scripted_call(b, ret_trouble, "probe ");
}

static const AccountBackendVtable scripted = {
    .name = "scripted",
    .outside = true,
    .ensure = scripted_ensure,
    .set_access = scripted_set_access,
    .remove = scripted_remove,
    .list = scripted_list,
    .probe = scripted_probe,
};

static void script(World *w, int answer, bool held) {
    (void) pthread_mutex_lock(&w->scripted.mutex);
    w->scripted.answer = answer;
    w->scripted.held = held;
    (void) pthread_cond_broadcast(&w->scripted.changed);
    (void) pthread_mutex_unlock(&w->scripted.mutex);
}

/* Until somebody waits in a call. */
static void wait_held(World *w) {
    (void) pthread_mutex_lock(&w->scripted.mutex);
    while (w->scripted.at_once == 0)
        (void) pthread_cond_wait(&w->scripted.changed, &w->scripted.mutex);
    (void) pthread_mutex_unlock(&w->scripted.mutex);
}

static void assert_calls(World *w, const char *expected) {
    (void) pthread_mutex_lock(&w->scripted.mutex);
    assert_string_equal(w->scripted.calls, expected);
    w->scripted.calls[0] = '\0';
    (void) pthread_mutex_unlock(&w->scripted.mutex);
}

static int on_store(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    store_dispatch(((World *) userdata)->store->store);
    return 0;
}

static int set_up(void **state) {
    World *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    assert_int_equal(fixture_setup((void **) &w->store), 0);
    w->scripted.backend.v = &scripted;
    (void) pthread_mutex_init(&w->scripted.mutex, NULL);
    (void) pthread_cond_init(&w->scripted.changed, NULL);
    w->settings = (Settings) { .data_path = (char *) "/data", .ftp_uid = 2001, .ftp_gid = 2001 };
    w->m = (Manager) { .settings = &w->settings, .store = w->store->store, .accounts = &w->scripted.backend, .data_fd = -EBADF };
    assert_true(sd_event_new(&w->m.event) >= 0);
    assert_true(sd_event_add_io(w->m.event, NULL, store_fd(w->m.store), 1 /* EPOLLIN */, on_store, w) >= 0);
    assert_int_equal(transfers_new(&w->m.transfers), 0);
    assert_int_equal(account_calls_new(&w->m, &w->m.calls), 0);
    assert_int_equal(accesses_new(&w->m.accesses), 0);
    assert_int_equal(account_rows_new(&w->m.rows), 0);
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    World *w = *state;
    void *store = w->store;

    script(w, 0, false);
    uint64_t end = monotonic_ms() + PATIENCE_MS;
    while ((w->m.pending > w->m.n_timers || !account_calls_are_idle(w->m.calls)) && monotonic_ms() < end)
        (void) sd_event_run(w->m.event, 50000);
    manager_drop_timers(&w->m);
    assert_int_equal(w->m.pending, 0);
    account_calls_free(w->m.calls);
    accesses_free(w->m.accesses);
    account_rows_free(w->m.rows);
    transfers_free(w->m.transfers);
    sd_event_unref(w->m.event);
    (void) pthread_cond_destroy(&w->scripted.changed);
    (void) pthread_mutex_destroy(&w->scripted.mutex);
    free(w);
    return fixture_teardown(&store);
}

static void run_until(World *w, bool (*condition)(World *w)) {
    uint64_t end = monotonic_ms() + PATIENCE_MS;

    while (!condition(w)) {
        assert_true(monotonic_ms() < end);
        assert_true(sd_event_run(w->m.event, 50000) >= 0);
    }
}

static int put_access_job(StoreTx *tx, void *userdata) {
    return tx_access_task_put(tx, userdata, START, NULL);
}

static void change(World *w, const char *account) {
    assert_int_equal(store_write_wait(w->m.store, put_access_job, (char *) account), 0);
}

static bool all_is_told(World *w) {
    uint64_t n;
    int64_t since;

    return store_count_access_tasks(w->m.store, &n, &since) >= 0 && n == 0;
}

static bool is_in_trouble(World *w) {
    return account_calls_trouble(&w->m) < 0;
}

static bool is_well(World *w) {
    return all_is_told(w) && !is_in_trouble(w);
}

/* An account with one request that is listo, until START + 500. */
static void deliver(World *w, const char *account, const char *email, Request *r) {
    assert_int_equal(put_account(w->m.store, account, email, "hash", "token"), 0);
    assert_int_equal(insert(w->m.store, email, email, r), 0);
    snprintf(r->account, sizeof(r->account), "%s", account);
    move_to_listo(w->m.store, r, START + 500);
}

typedef struct Answer {
    unsigned n;
    bool changed;
} Answer;

static void answered(Manager *m, bool changed, void *userdata) {
    Answer *a = userdata;

    a->n++;
    a->changed = changed;
}

static void change_is_told_and_forgotten(void **state) {
    World *w = *state;
    _cleanup_request_ Request r = { 0 };
    Answer answer = { 0 };

    deliver(w, ANA, "ana", &r);
    change(w, ANA);
    access_tell(&w->m, ANA, answered, &answer);
    run_until(w, all_is_told);
    assert_calls(w, "set:1:500 ensure:hash ");
    assert_int_equal(answer.n, 1);
    assert_true(answer.changed);
    access_tell(&w->m, ANA, answered, &answer); /* nothing to tell */
    assert_int_equal(answer.n, 2);
    assert_false(answer.changed);
    assert_calls(w, "");
}

static void away_is_answered_and_tried_again(void **state) {
    World *w = *state;
    _cleanup_request_ Request r = { 0 };
    Answer answer = { .changed = true };

    deliver(w, ANA, "ana", &r);
    change(w, ANA);
    script(w, -EAGAIN, false);
    access_tell(&w->m, ANA, answered, &answer);
    run_until(w, is_in_trouble);
    assert_int_equal(answer.n, 1);
    assert_false(answer.changed);
    assert_true(access_is_failing(&w->m));
    assert_false(all_is_told(w));
    assert_true(w->m.pending > 0); /* the service stays */
    script(w, 0, false);
    run_until(w, is_well);
    assert_false(access_is_failing(&w->m));
}

static void refusal_is_tried_again_without_asking_whether_it_is_there(void **state) {
    World *w = *state;
    _cleanup_request_ Request r = { 0 };
    Answer answer = { 0 };

    deliver(w, ANA, "ana", &r);
    change(w, ANA);
    script(w, -EACCES, false);
    access_tell(&w->m, ANA, answered, &answer);
    run_until(w, is_in_trouble);
    assert_int_equal(account_calls_trouble(&w->m), -EACCES);
    script(w, 0, false);
    run_until(w, is_well);
    assert_null(strstr(w->scripted.calls, "probe"));
}

static void later_changes_are_not_overtaken(void **state) {
    World *w = *state;
    _cleanup_request_ Request r = { 0 };
    Answer answers[3] = { 0 };

    deliver(w, ANA, "ana", &r);
    script(w, 0, true);
    change(w, ANA);
    access_tell(&w->m, ANA, answered, &answers[0]);
    wait_held(w);
    assert_int_equal(move(w->m.store, &r, STATE_BLOQUEADO, NULL), 0);
    change(w, ANA);
    access_tell(&w->m, ANA, answered, &answers[1]);
    change(w, ANA);
    access_tell(&w->m, ANA, answered, &answers[2]);
    script(w, 0, false);
    run_until(w, all_is_told);
    assert_calls(w, "set:1:500 ensure:hash set:0:500 ensure:hash "); /* the second and third are one */
    assert_int_equal(w->scripted.most_at_once, 1);
    for (size_t i = 0; i < ELEMENTS(answers); i++)
        assert_true(answers[i].n == 1 && answers[i].changed);
}

static void account_that_ended_is_taken_away_and_keeps_its_hash(void **state) {
    World *w = *state;
    _cleanup_request_ Request r = { 0 };
    _cleanup_account_ Account account = { 0 };

    deliver(w, ANA, "ana", &r);
    assert_int_equal(move(w->m.store, &r, STATE_ELIMINADO, NULL), 0);
    change(w, ANA);
    access_kick(&w->m);
    run_until(w, all_is_told);
    assert_calls(w, "remove:" ANA " ");
    assert_int_equal(store_account_by_name(w->m.store, ANA, &account), 0);
    assert_null(account.token);
    assert_string_equal(account.hash, "hash");
}

static void account_of_a_copy_that_is_whole_is_left_to_it(void **state) {
    World *w = *state;
    _cleanup_request_ Request r = { 0 };
    Answer answer = { 0 };

    assert_int_equal(put_account(w->m.store, ANA, "ana", "hash", "token"), 0);
    assert_int_equal(insert(w->m.store, "a", "ana", &r), 0);
    assert_int_equal(move(w->m.store, &r, STATE_PREPARANDO, NULL), 0);
    assert_int_equal(move(w->m.store, &r, STATE_TRASLADO, NULL), 0);
    r.copied = true;
    assert_int_equal(move(w->m.store, &r, STATE_MAX, NULL), 0);
    change(w, ANA);
    access_tell(&w->m, ANA, answered, &answer);
    assert_int_equal(answer.n, 1);
    assert_calls(w, "");
    assert_false(all_is_told(w));
    assert_int_equal(move(w->m.store, &r, STATE_ELIMINADO, NULL), 0);
    access_kick(&w->m);
    run_until(w, all_is_told);
    assert_calls(w, "remove:" ANA " ");
}

static void many_accounts_are_told_a_few_at_a_time(void **state) {
    World *w = *state;
    char name[ACCOUNT_NAME_MAX + 1], email[64];

    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "ftp_x_%04u", i);
        snprintf(email, sizeof(email), "x%u@b.org", i);
        assert_int_equal(put_account(w->m.store, name, email, "hash", "token"), 0);
        change(w, name);
    }
    access_kick(&w->m);
    access_kick(&w->m);
    run_until(w, all_is_told);
    assert_true(w->scripted.most_at_once <= 2);
}

static void what_queued_behind_a_dead_server_is_not_tried_one_by_one(void **state) {
    World *w = *state;
    char name[ACCOUNT_NAME_MAX + 1], email[64];
    size_t calls = 0;

    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "ftp_x_%04u", i);
        snprintf(email, sizeof(email), "x%u@b.org", i);
        assert_int_equal(put_account(w->m.store, name, email, "hash", "token"), 0);
        change(w, name);
    }
    script(w, -EAGAIN, true);
    access_kick(&w->m);
    wait_held(w);
    script(w, -EAGAIN, false);
    run_until(w, is_in_trouble);
    (void) pthread_mutex_lock(&w->scripted.mutex);
    for (const char *c = w->scripted.calls; (c = strstr(c, "remove:")); c++)
        calls++;
    (void) pthread_mutex_unlock(&w->scripted.mutex);
    assert_in_range(calls, 1, 99);
    script(w, 0, false);
    run_until(w, is_well);
}

static bool rows_are_compared(World *w) {
    return !account_rows_wait(&w->m) && w->m.pending == w->m.n_timers && all_is_told(w);
}

static void rows_are_compared_both_ways(void **state) {
    World *w = *state;
    _cleanup_request_ Request fine = { 0 }, altered = { 0 }, vanished = { 0 }, taken = { 0 }, gone = { 0 };
    const AccountRow rows[] = {
        { .name = "ftp_altered", .home = "/data/ftp_altered", .hash = "hash", .uid = 2001, .gid = 2001, .enabled = true },
        { .name = "ftp_fine", .home = "/data/ftp_fine", .hash = "hash", .uid = 2001, .gid = 2001, .enabled = true, .expires = START + 500, .expires_kept = true },
        { .name = "ftp_gone", .home = "/elsewhere", .hash = "hash", .uid = 2001, .gid = 2001, .enabled = true },
        { .name = "ftp_taken", .home = "/elsewhere", .hash = "theirs", .enabled = true },
        { .name = "nobody", .home = "/data/nobody", .hash = "hash", .enabled = true },
    };
    _cleanup_free_ char *note = NULL;

    deliver(w, "ftp_fine", "fine", &fine);
    deliver(w, "ftp_altered", "altered", &altered);
    deliver(w, "ftp_vanished", "vanished", &vanished);
    deliver(w, "ftp_taken", "taken", &taken);
    deliver(w, "ftp_gone", "gone", &gone);
    assert_int_equal(move(w->m.store, &altered, STATE_BLOQUEADO, NULL), 0);
    assert_int_equal(move(w->m.store, &gone, STATE_EXPIRADO, NULL), 0);
    w->scripted.rows = rows;
    w->scripted.n_rows = ELEMENTS(rows);
    account_rows_compare(&w->m);
    assert_true(account_rows_wait(&w->m));
    run_until(w, rows_are_compared);
    assert_true(all_is_told(w));
    /* one after the other, by name: two are told at the same time, so look for each */
    assert_non_null(strstr(w->scripted.calls, "set:0:500"));
    assert_non_null(strstr(w->scripted.calls, "set:1:500"));
    assert_non_null(strstr(w->scripted.calls, "remove:ftp_gone"));
    assert_null(strstr(w->scripted.calls, "remove:nobody"));
    size_t told = 0;
    for (const char *c = w->scripted.calls; (c = strstr(c, "set:")); c++)
        told++;
    assert_int_equal(told, 2); /* altered, vanished; not fine, not taken */
    assert_int_equal(store_note(w->m.store, "foreign accounts", &note), 0);
    assert_true(has_prefix(note, "2 ")); /* nobody, and who took a name */
}

static void comparison_waits_for_a_server_that_is_away(void **state) {
    World *w = *state;

    script(w, -EAGAIN, false);
    account_rows_compare(&w->m);
    run_until(w, is_in_trouble);
    assert_true(account_rows_wait(&w->m));
    script(w, 0, false);
    run_until(w, rows_are_compared);
    assert_false(is_in_trouble(w));
}

static void probed(int r, void *userdata) {
    int *answer = userdata;
    *answer = r;
}

static void server_that_hangs_is_away_in_a_moment(void **state) {
    World *w = *state;
    int answer = 1, second = 1;
    uint64_t began = monotonic_ms();

    script(w, 0, true);
    account_probe(&w->m, probed, &answer);
    while (answer == 1)
        assert_true(sd_event_run(w->m.event, 50000) >= 0);
    assert_int_equal(answer, -EAGAIN);
    assert_in_range(monotonic_ms() - began, ACCOUNT_PROBE_MS - 1, PATIENCE_MS);
    script(w, 0, false);
    account_probe(&w->m, probed, &second);
    while (second == 1)
        assert_true(sd_event_run(w->m.event, 50000) >= 0);
    assert_int_equal(second, 0);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(change_is_told_and_forgotten),
        WORLD_TEST(away_is_answered_and_tried_again),
        WORLD_TEST(refusal_is_tried_again_without_asking_whether_it_is_there),
        WORLD_TEST(later_changes_are_not_overtaken),
        WORLD_TEST(account_that_ended_is_taken_away_and_keeps_its_hash),
        WORLD_TEST(account_of_a_copy_that_is_whole_is_left_to_it),
        WORLD_TEST(many_accounts_are_told_a_few_at_a_time),
        WORLD_TEST(what_queued_behind_a_dead_server_is_not_tried_one_by_one),
        WORLD_TEST(rows_are_compared_both_ways),
        WORLD_TEST(comparison_waits_for_a_server_that_is_away),
        WORLD_TEST(server_that_hangs_is_away_in_a_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
