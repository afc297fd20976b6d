/* What store_dispatch() tells of each write: whoever keeps what store_view() said must hear of all that alters it. */
#include "store-fixture.h"

#include "store/changes.h"

typedef struct Told {
    uint64_t lives[16];
    unsigned n;
    bool any;
} Told;

static void remember(uint64_t life, void *userdata) {
    Told *t = userdata;

    if (life == 0)
        t->any = true;
    else if (t->n < ELEMENTS(t->lives))
        t->lives[t->n++] = life;
}

static bool told_of(const Told *t, uint64_t life) {
    for (unsigned i = 0; i < t->n; i++)
        if (t->lives[i] == life)
            return true;
    return t->any;
}

/* What was told since the last time. */
static Told listen(Fixture *f) {
    Told t = { 0 };

    store_on_change(f->store, remember, &t);
    store_dispatch(f->store);
    store_on_change(f->store, NULL, NULL);
    return t;
}

static void two_requests(Fixture *f, Request *one, Request *two) {
    assert_int_equal(insert(f->store, "one", "ana@example.org", one), 0);
    assert_int_equal(insert(f->store, "two", "eva@example.org", two), 0);
}

static void a_new_row_alters_no_other(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request one = { 0 }, two = { 0 };

    two_requests(f, &one, &two);
    Told t = listen(f);
    assert_int_equal(t.n, 0);
    assert_false(t.any);
}

static void a_move_is_told(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request one = { 0 }, two = { 0 };

    two_requests(f, &one, &two);
    (void) listen(f);
    move_to_listo(f->store, &one, START + 100);
    Told t = listen(f);
    assert_true(told_of(&t, one.life));
    assert_false(told_of(&t, two.life));
}

static void an_update_is_told(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request one = { 0 }, two = { 0 };

    two_requests(f, &one, &two);
    (void) listen(f);
    two.vigencia = 9;
    assert_int_equal(move(f->store, &two, STATE_MAX, NULL), 0);
    Told t = listen(f);
    assert_true(told_of(&t, two.life));
    assert_false(told_of(&t, one.life));
    t = listen(f);
    assert_int_equal(t.n, 0); /* once is enough */
}

static int download_job(StoreTx *tx, void *userdata) {
    return tx_download_add(tx, *(uint64_t *) userdata, "192.0.2.1", 1000, 1, START);
}

static void a_download_is_told(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request one = { 0 }, two = { 0 };

    two_requests(f, &one, &two);
    for (unsigned i = 0; i < 2; i++) { /* a new address and a known one */
        (void) listen(f);
        assert_int_equal(store_write_wait(f->store, download_job, &one.life), 0);
        Told t = listen(f);
        assert_true(told_of(&t, one.life));
        assert_false(told_of(&t, two.life));
    }
}

static int clear_job(StoreTx *tx, void *userdata) {
    return tx_account_clear(tx, userdata, false);
}

static int new_token(const Account *a, char **ret_token, void *userdata) {
    *ret_token = strdup("another token");
    return *ret_token ? 0 : -ENOMEM;
}

static int rotate_job(StoreTx *tx, void *userdata) {
    return tx_rotate_tokens(tx, new_token, NULL);
}

/* A request shows its account's token: which requests those are is not looked up, all may be altered. */
static void an_account_is_told(void **state) {
    Fixture *f = *state;
    Told t;

    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@example.org", "hash", "token"), 0);
    t = listen(f);
    assert_true(t.any);
    assert_int_equal(store_write_wait(f->store, rotate_job, NULL), 0);
    t = listen(f);
    assert_true(t.any);
    assert_int_equal(store_write_wait(f->store, clear_job, (char[]) { "ftp_ana_abcd" }), 0);
    t = listen(f);
    assert_true(t.any);
}

typedef struct Flood {
    Request *row;
    unsigned times;
} Flood;

static int flood_job(StoreTx *tx, void *userdata) {
    Flood *flood = userdata;

    for (unsigned i = 0; i < flood->times; i++) {
        int r = tx_update(tx, &flood->row[i % 2], NULL, &test_actor, NULL);
        if (r < 0)
            return r;
    }
    return 0;
}

static void too_many_are_all(void **state) {
    Fixture *f = *state;
    Request rows[2] = { 0 };
    Told t;

    two_requests(f, &rows[0], &rows[1]);
    (void) listen(f);
    assert_int_equal(store_write_wait(f->store, flood_job, &(Flood) { rows, CHANGES_MAX }), 0);
    t = listen(f);
    assert_false(t.any);
    assert_int_equal(store_write_wait(f->store, flood_job, &(Flood) { rows, CHANGES_MAX + 1 }), 0);
    t = listen(f);
    assert_true(t.any);
    assert_int_equal(store_write_wait(f->store, flood_job, &(Flood) { rows, 2 }), 0);
    t = listen(f);
    assert_false(t.any);
    assert_true(told_of(&t, rows[0].life) && told_of(&t, rows[1].life));
    request_done(&rows[0]);
    request_done(&rows[1]);
}

typedef struct Order {
    Fixture *f;
    Request *row;
    unsigned told, done;
} Order;

static void count_told(uint64_t life, void *userdata) {
    Order *o = userdata;

    assert_int_equal(o->done, 0);
    o->told++;
}

static int order_job(StoreTx *tx, void *userdata) {
    Order *o = userdata;
    return tx_update(tx, o->row, NULL, &test_actor, NULL);
}

static void order_done(void *userdata, int r) {
    Order *o = userdata;

    assert_int_equal(r, 0);
    assert_int_equal(o->told, 1); /* who answers now must not find what was true before */
    o->done++;
}

static void a_change_is_told_before_its_callback(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request one = { 0 }, two = { 0 };
    Order o = { .f = f, .row = &one };

    two_requests(f, &one, &two);
    (void) listen(f);
    store_on_change(f->store, count_told, &o);
    assert_int_equal(store_write(f->store, order_job, order_done, &o), 0);
    dispatch_until(f->store, &o.done, 1);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    static const struct CMUnitTest tests[] = {
        STORE_TEST(a_new_row_alters_no_other),
        STORE_TEST(a_move_is_told),
        STORE_TEST(an_update_is_told),
        STORE_TEST(a_download_is_told),
        STORE_TEST(an_account_is_told),
        STORE_TEST(too_many_are_all),
        STORE_TEST(a_change_is_told_before_its_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
