/* Requests: ids and lives, guarded moves, and every list in its order. */
#include "store-fixture.h"

#include "basic/strings.h"

static void row_comes_back_as_it_went_in(void **state) {
    Fixture *f = *state;
    Insert i = { .n = new_request("Set_1.a-b", "ana@example.org") };
    _cleanup_request_ Request back = { 0 };

    snprintf(i.n.group, sizeof(i.n.group), "unam");
    assert_int_equal(store_write_wait(f->store, insert_job, &i), 0);
    assert_int_equal(store_get(f->store, "Set_1.a-b", &back), 0);
    assert_int_equal(back.life, i.row.life);
    assert_int_equal(back.state, STATE_RECIBIDO);
    assert_string_equal(back.email, "ana@example.org");
    assert_string_equal(back.group, "unam");
    assert_string_equal(back.ruta, "source:/data/set");
    assert_string_equal(back.account, "");
    assert_string_equal(back.token, "");
    assert_null(back.message);
    assert_int_equal(back.vigencia, 5);
    assert_int_equal(back.created, START);
    assert_int_equal(back.ready + back.expires + back.retry_at + (int64_t) back.bytes + back.run, 0);
    assert_false(back.copied || back.sized);
    new_request_done(&i.n);
    request_done(&i.row);
}

static void every_changing_column_is_kept(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 }, back = { 0 };

    assert_int_equal(put_account(f->store, "ftp_a_abcd", "a@b.org", "hash", "token"), 0);
    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    snprintf(r.account, sizeof(r.account), "ftp_a_abcd");
    snprintf(r.token, sizeof(r.token), "00112233445566778899aabbccddeeff");
    r.message = strdup("razón");
    r.run = 7;
    r.vigencia = 90;
    r.ready = 1;
    r.expires = INT64_C(253402300799);
    r.retry_at = 3;
    r.copied = r.sized = true;
    r.bytes = UINT64_C(1) << 60;
    r.files = 5;
    assert_int_equal(move(f->store, &r, STATE_PREPARANDO, "texto"), 0);
    assert_int_equal(r.state, STATE_PREPARANDO);
    assert_int_equal(store_get_life(f->store, r.life, &back), 0);
    assert_string_equal(back.account, r.account);
    assert_string_equal(back.token, r.token);
    assert_string_equal(back.message, "razón");
    assert_int_equal(back.state, STATE_PREPARANDO);
    assert_int_equal(back.run, 7);
    assert_int_equal(back.vigencia, 90);
    assert_int_equal(back.ready, 1);
    assert_int_equal(back.expires, INT64_C(253402300799));
    assert_int_equal(back.retry_at, 3);
    assert_true(back.copied && back.sized);
    assert_int_equal(back.bytes, UINT64_C(1) << 60);
    assert_int_equal(back.files, 5);
}

static void id_is_taken_while_a_row_lives(void **state) {
    static const State on_the_way[] = { STATE_PREPARANDO, STATE_ERROR };
    Fixture *f = *state;
    _cleanup_request_ Request first = { 0 }, other = { 0 }, second = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &first), 0);
    for (size_t i = 0; i < ELEMENTS(on_the_way); i++) {
        _cleanup_request_ Request in_the_way = { 0 };

        assert_int_equal(move(f->store, &first, on_the_way[i], NULL), 0);
        assert_int_equal(insert(f->store, "x", "other@b.org", &in_the_way), -EEXIST);
        assert_int_equal(in_the_way.life, first.life);
        assert_int_equal(in_the_way.state, on_the_way[i]);
    }
    assert_int_equal(move(f->store, &first, STATE_ELIMINADO, NULL), 0);
    assert_int_equal(store_get(f->store, "x", &other), -ENOENT);
    assert_int_equal(insert(f->store, "x", "other@b.org", &second), 0);
    assert_true(second.life > first.life);
    assert_int_equal(store_get_life(f->store, first.life, &other), 0); /* the row stays */
    assert_int_equal(other.state, STATE_ELIMINADO);
}

static void life_is_never_used_twice(void **state) {
    Fixture *f = *state;
    uint64_t last = 0;

    for (unsigned i = 0; i < 20; i++) {
        _cleanup_request_ Request r = { 0 };

        assert_int_equal(insert(f->store, "again", "a@b.org", &r), 0);
        assert_true(r.life > last);
        last = r.life;
        assert_int_equal(move(f->store, &r, STATE_ELIMINADO, NULL), 0);
        if (i % 5 == 0)
            fixture_reopen(f);
    }
}

static void all_moves_follow_the_states_table(void **state) {
    Fixture *f = *state;

    for (State from = 0; from < STATE_MAX; from++)
        for (State to = 0; to < STATE_MAX; to++) {
            static const State path[STATE_MAX][4] = {
                [STATE_PREPARANDO] = { STATE_PREPARANDO },
                [STATE_TRASLADO] = { STATE_PREPARANDO, STATE_TRASLADO },
                [STATE_LISTO] = { STATE_PREPARANDO, STATE_TRASLADO, STATE_LISTO },
                [STATE_BLOQUEADO] = { STATE_PREPARANDO, STATE_TRASLADO, STATE_LISTO, STATE_BLOQUEADO },
                [STATE_EXPIRADO] = { STATE_PREPARANDO, STATE_TRASLADO, STATE_LISTO, STATE_EXPIRADO },
                [STATE_ERROR] = { STATE_ERROR },
                [STATE_ELIMINADO] = { STATE_ELIMINADO },
            };
            _cleanup_request_ Request r = { 0 };

            assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
            for (size_t i = 0; i < 4 && path[from][i] != STATE_RECIBIDO; i++)
                assert_int_equal(move(f->store, &r, path[from][i], NULL), 0);
            assert_int_equal(move(f->store, &r, to, NULL), state_may_move(from, to) ? 0 : -EPERM);
            assert_int_equal(r.state, state_may_move(from, to) ? to : from);
            if (r.state != STATE_ELIMINADO)
                assert_int_equal(move(f->store, &r, STATE_ELIMINADO, NULL), 0);
        }
}

static void first_commit_wins(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 }, late = { 0 }, back = { 0 };
    Move m;

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    move_to_listo(f->store, &r, START + 100);
    assert_int_equal(store_get(f->store, "x", &late), 0);
    assert_int_equal(move(f->store, &r, STATE_EXPIRADO, "fin"), 0);

    late.expires += 86400; /* an extension that comes after the expiry */
    m = (Move) { .r = &late, .to = STATE_MAX, .actual = STATE_MAX };
    assert_int_equal(store_write_wait(f->store, move_job, &m), -ESTALE);
    assert_int_equal(m.actual, STATE_EXPIRADO);
    assert_int_equal(late.state, STATE_LISTO);
    m = (Move) { .r = &late, .to = STATE_BLOQUEADO, .actual = STATE_MAX };
    assert_int_equal(store_write_wait(f->store, move_job, &m), -ESTALE);
    assert_int_equal(m.actual, STATE_EXPIRADO);
    assert_int_equal(store_get(f->store, "x", &back), 0);
    assert_int_equal(back.state, STATE_EXPIRADO);
    assert_int_equal(back.expires, START + 100);

    late.life = 999;
    assert_int_equal(move(f->store, &late, STATE_BLOQUEADO, NULL), -ENOENT);
}

static void account_must_exist(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 }, back = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    snprintf(r.account, sizeof(r.account), "ftp_nobody_abcd");
    assert_int_equal(move(f->store, &r, STATE_PREPARANDO, NULL), -EINVAL);
    assert_int_equal(store_get(f->store, "x", &back), 0);
    assert_int_equal(back.state, STATE_RECIBIDO);
}

static void token_names_a_request_in_flight_only(void **state) {
    static const char token[] = "00112233445566778899aabbccddeeff";
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 }, back = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    memcpy(r.token, token, sizeof(token));
    assert_int_equal(move(f->store, &r, STATE_MAX, NULL), 0);
    assert_int_equal(store_get_token(f->store, token, &back), -ENOENT); /* queued */
    assert_int_equal(move(f->store, &r, STATE_PREPARANDO, NULL), 0);
    assert_int_equal(store_get_token(f->store, token, &back), 0);
    assert_int_equal(back.life, r.life);
    assert_int_equal(store_get_token(f->store, "00112233445566778899aabbccddee00", &(Request) { 0 }), -ENOENT);
    assert_int_equal(store_get_token(f->store, "", &(Request) { 0 }), -EINVAL);
    assert_int_equal(store_get_token(f->store, "00112233445566778899aabbccddeef", &(Request) { 0 }), -EINVAL);
    assert_int_equal(store_get_token(f->store, "00112233445566778899aabbccddeef%", &(Request) { 0 }), -EINVAL);
    assert_int_equal(move(f->store, &r, STATE_ERROR, NULL), 0);
    assert_int_equal(store_get_token(f->store, token, &(Request) { 0 }), -ENOENT);
}

static const char *list(Store *s, State state, uint64_t after, size_t limit, Ids *ids) {
    *ids = (Ids) { 0 };
    assert_int_equal(store_list(s, state, after, limit, collect_ids, ids), 0);
    return ids->text;
}

static void lists_are_in_order(void **state) {
    static const char *const names[] = { "c", "a", "e", "b", "d" };
    Fixture *f = *state;
    Request rows[5] = { 0 };
    uint64_t n = 0;
    Ids ids;

    for (size_t i = 0; i < 5; i++)
        assert_int_equal(insert(f->store, names[i], "a@b.org", &rows[i]), 0);
    assert_int_equal(move(f->store, &rows[1], STATE_ELIMINADO, NULL), 0);
    assert_int_equal(move(f->store, &rows[3], STATE_PREPARANDO, NULL), 0);
    assert_string_equal(list(f->store, STATE_MAX, 0, 100, &ids), "c e b d");
    assert_string_equal(list(f->store, STATE_MAX, 0, 2, &ids), "c e");
    assert_string_equal(list(f->store, STATE_MAX, rows[2].life, 100, &ids), "b d");
    assert_string_equal(list(f->store, STATE_MAX, 0, SIZE_MAX, &ids), "c e b d");
    assert_string_equal(list(f->store, STATE_RECIBIDO, 0, 100, &ids), "c e d");
    assert_string_equal(list(f->store, STATE_RECIBIDO, rows[0].life, 1, &ids), "e");
    assert_string_equal(list(f->store, STATE_PREPARANDO, 0, 100, &ids), "b");
    assert_string_equal(list(f->store, STATE_LISTO, 0, 100, &ids), "");
    assert_int_equal(store_count(f->store, STATE_MAX, &n), 0);
    assert_int_equal(n, 4);
    assert_int_equal(store_count(f->store, STATE_RECIBIDO, &n), 0);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < 5; i++)
        request_done(&rows[i]);
}

static void due_come_earliest_first(void **state) {
    static const int64_t ends[] = { 300, 100, 200, 400 };
    Fixture *f = *state;
    Request rows[4] = { 0 };
    Ids ids = { 0 };

    for (size_t i = 0; i < 4; i++) {
        char id[] = { (char) ('a' + i), '\0' };

        assert_int_equal(insert(f->store, id, "a@b.org", &rows[i]), 0);
        move_to_listo(f->store, &rows[i], START + ends[i]);
    }
    assert_int_equal(move(f->store, &rows[2], STATE_BLOQUEADO, NULL), 0); /* still expires */
    assert_int_equal(store_list_due(f->store, START + 300, 10, collect_ids, &ids), 0);
    assert_string_equal(ids.text, "b c a");
    ids = (Ids) { 0 };
    assert_int_equal(store_list_due(f->store, START + 299, 1, collect_ids, &ids), 0);
    assert_string_equal(ids.text, "b");
    ids = (Ids) { 0 };
    assert_int_equal(store_list_due(f->store, START, 10, collect_ids, &ids), 0);
    assert_string_equal(ids.text, "");
    assert_int_equal(store_list_next_expiries(f->store, 3, collect_ids, &ids), 0);
    assert_string_equal(ids.text, "b c a");
    assert_int_equal(move(f->store, &rows[1], STATE_EXPIRADO, NULL), 0);
    ids = (Ids) { 0 };
    assert_int_equal(store_list_next_expiries(f->store, 10, collect_ids, &ids), 0);
    assert_string_equal(ids.text, "c a d");
    for (size_t i = 0; i < 4; i++)
        request_done(&rows[i]);
}

static void lists_of_a_person(void **state) {
    static const State ends[] = { STATE_LISTO, STATE_BLOQUEADO, STATE_EXPIRADO, STATE_ELIMINADO };
    Fixture *f = *state;
    Ids ids = { 0 };

    assert_int_equal(put_account(f->store, "ftp_a_abcd", "a@b.org", "hash", "token"), 0);
    for (size_t i = 0; i < ELEMENTS(ends); i++) {
        _cleanup_request_ Request r = { 0 };

        assert_int_equal(insert(f->store, state_name(ends[i]), "a@b.org", &r), 0);
        snprintf(r.account, sizeof(r.account), "ftp_a_abcd");
        move_to_listo(f->store, &r, START + 100);
        if (ends[i] != STATE_LISTO)
            assert_int_equal(move(f->store, &r, ends[i], NULL), 0);
    }
    _cleanup_request_ Request queued = { 0 }, other = { 0 };
    assert_int_equal(insert(f->store, "queued", "a@b.org", &queued), 0); /* no account yet */
    assert_int_equal(insert(f->store, "other", "other@b.org", &other), 0);
    assert_int_equal(store_list_account(f->store, "ftp_a_abcd", collect_ids, &ids), 0);
    assert_string_equal(ids.text, "listo bloqueado");
    ids = (Ids) { 0 };
    assert_int_equal(store_list_email(f->store, "a@b.org", collect_ids, &ids), 0);
    assert_string_equal(ids.text, "listo bloqueado expirado queued");
}

static int stop_at_b(const Request *r, void *userdata) {
    return streq(r->id, "b") ? 42 : collect_ids(r, userdata);
}

typedef struct Nested {
    Store *store;
    Ids ids;
} Nested;

/* Asks for the same list again inside of itself. */
static int list_in_list(const Request *r, void *userdata) {
    Nested *n = userdata;
    Ids inner;
    _cleanup_request_ Request again = { 0 };

    assert_string_equal(list(n->store, STATE_MAX, 0, 100, &inner), "a b c");
    assert_int_equal(store_get(n->store, r->id, &again), 0);
    return collect_ids(r, &n->ids);
}

static void walks_stop_and_nest(void **state) {
    Fixture *f = *state;
    Nested nested = { .store = f->store };
    Ids ids = { 0 };

    for (const char *id = "a\0b\0c\0"; *id; id += 2) {
        _cleanup_request_ Request r = { 0 };
        assert_int_equal(insert(f->store, id, "a@b.org", &r), 0);
    }
    assert_int_equal(store_list(f->store, STATE_MAX, 0, 100, stop_at_b, &ids), 42);
    assert_string_equal(ids.text, "a");
    assert_int_equal(store_list(f->store, STATE_MAX, 0, 100, list_in_list, &nested), 0);
    assert_string_equal(nested.ids.text, "a b c");
}

static int download_job(StoreTx *tx, void *userdata) {
    const Request *r = userdata;
    int e;

    e = tx_download_add(tx, r->life, "203.0.113.5", 100, 1, START);
    if (e >= 0)
        e = tx_download_add(tx, r->life, "203.0.113.5", 50, 1, START + 10); /* same day */
    if (e >= 0)
        e = tx_download_add(tx, r->life, "203.0.113.5", 7, 1, START + 86400);
    return e < 0 ? e : tx_download_add(tx, r->life, "2001:db8::1", 1, 1, START + 5);
}

static void view_shows_account_and_downloads(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    _cleanup_request_view_ RequestView before = { 0 }, after = { 0 };

    assert_int_equal(put_account(f->store, "ftp_a_abcd", "a@b.org", "hash", "gAAAAAtoken"), 0);
    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    assert_int_equal(store_view(f->store, "x", &before), 0);
    assert_null(before.token);
    assert_int_equal(before.downloads.count + (uint64_t) before.downloads.last + before.downloads.bytes, 0);
    snprintf(r.account, sizeof(r.account), "ftp_a_abcd");
    move_to_listo(f->store, &r, START + 100);
    assert_int_equal(store_write_wait(f->store, download_job, &r), 0);
    assert_int_equal(store_view(f->store, "x", &after), 0);
    assert_string_equal(after.token, "gAAAAAtoken");
    assert_string_equal(after.request.ruta, "source:/data/set");
    assert_int_equal(after.downloads.count, 3);
    assert_int_equal(after.downloads.bytes, 158);
    assert_int_equal(after.downloads.last, START + 86400);
    assert_int_equal(store_view(f->store, "y", &(RequestView) { 0 }), -ENOENT);
}

/* A change of state does not touch what was downloaded meanwhile. */
static void downloads_survive_an_update(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    _cleanup_request_view_ RequestView v = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    assert_int_equal(store_write_wait(f->store, download_job, &r), 0);
    assert_int_equal(move(f->store, &r, STATE_PREPARANDO, NULL), 0);
    assert_int_equal(store_view(f->store, "x", &v), 0);
    assert_int_equal(v.downloads.bytes, 158);
    r.life = 4711;
    assert_int_equal(store_write_wait(f->store, download_job, &r), -ENOENT);
}

static int flood_job(StoreTx *tx, void *userdata) {
    const Request *r = userdata;
    int e = 0;

    for (unsigned i = 0; i < STORE_DOWNLOADS_MAX + 100 && e >= 0; i++) {
        char address[32];

        snprintf(address, sizeof(address), "2001:db8::%x", i);
        e = tx_download_add(tx, r->life, address, 1, 1, START);
    }
    return e;
}

static void downloads_are_bounded(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    _cleanup_request_view_ RequestView v = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    assert_int_equal(store_write_wait(f->store, flood_job, &r), 0);
    assert_int_equal(store_view(f->store, "x", &v), 0);
    assert_int_equal(v.downloads.count, STORE_DOWNLOADS_MAX);
    assert_int_equal(v.downloads.bytes, STORE_DOWNLOADS_MAX + 100);
}

static int lie_job(StoreTx *tx, void *userdata) {
    const Request *r = userdata;
    return tx_download_add(tx, r->life, "203.0.113.5", INT64_MAX / 2, 1, START);
}

/* A session that was taken over says so as often as it likes. */
static void downloads_do_not_overflow(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    _cleanup_request_view_ RequestView v = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(store_write_wait(f->store, lie_job, &r), 0);
    assert_int_equal(store_view(f->store, "x", &v), 0);
    assert_int_equal(v.downloads.bytes, STORE_DOWNLOADED_MAX);
    assert_int_equal(v.downloads.count, 1);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(row_comes_back_as_it_went_in),
        STORE_TEST(every_changing_column_is_kept),
        STORE_TEST(id_is_taken_while_a_row_lives),
        STORE_TEST(life_is_never_used_twice),
        STORE_TEST(all_moves_follow_the_states_table),
        STORE_TEST(first_commit_wins),
        STORE_TEST(account_must_exist),
        STORE_TEST(token_names_a_request_in_flight_only),
        STORE_TEST(lists_are_in_order),
        STORE_TEST(due_come_earliest_first),
        STORE_TEST(lists_of_a_person),
        STORE_TEST(walks_stop_and_nest),
        STORE_TEST(view_shows_account_and_downloads),
        STORE_TEST(downloads_survive_an_update),
        STORE_TEST(downloads_are_bounded),
        STORE_TEST(downloads_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
