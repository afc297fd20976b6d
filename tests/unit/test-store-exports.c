/* Exports: who gets a request by itself, one at a time to each destination, what a row in another state refuses, limits. */
#include "store-fixture.h"

#include "basic/strings.h"

#define TOKEN "00112233445566778899aabbccddeeff"

static int put_destination_job(StoreTx *tx, void *userdata) {
    return tx_destination_put(tx, userdata);
}

static Destination put_destination(Store *s, const char *name, const char *group, bool is_default) {
    Destination d = { .type = DESTINATION_FTP, .host = "h", .port = 21, .username = "u", .path = ".", .is_default = is_default, .created = START };

    snprintf(d.name, sizeof(d.name), "%s", name);
    snprintf(d.group, sizeof(d.group), "%s", group);
    assert_int_equal(store_write_wait(s, put_destination_job, &d), 0);
    return d;
}

typedef struct Add {
    const Request *r;
    const Destination *to;
    Export e;
    unsigned added, left_out;
} Add;

static int add_job(StoreTx *tx, void *userdata) {
    Add *a = userdata;
    return tx_export_add(tx, a->r, a->to, false, START, &a->e);
}

static int automatic_job(StoreTx *tx, void *userdata) {
    Add *a = userdata;
    return tx_exports_automatic(tx, a->r, START, &a->added, &a->left_out);
}

static int names(const Export *e, void *userdata) {
    char *text = userdata;
    snprintf(text + strlen(text), 256 - strlen(text), "%s ", e->name);
    assert_int_equal(e->state, EXPORT_PENDIENTE);
    return 0;
}

/* By group, exactly, else the default one, else nobody. */
static void who_gets_a_request_by_itself(void **state) {
    static const struct {
        const char *id, *email, *group, *default_one, *expected;
    } cases[] = {
        { "a", "ana@unam.mx", "", "d", "dos uno " },      /* the domain of the address */
        { "b", "ana@x.unam.mx", "", "d", "d " },          /* never "contains" */
        { "c", "ana@unam.m", "", "d", "d " },
        { "d", "ana@otra.org", "lanot", "d", "tres " },   /* its own group beats the domain */
        { "e", "ana@unam.mx", "lanot", "d", "tres " },
        { "f", "ana@unam.mx", "LANOT", "d", "d " },       /* letter for letter */
        { "g", "ana@unam.mx", "nadie", NULL, "" },        /* and nothing otherwise */
        { "h", "ana@unam.mx", "", NULL, "dos uno " },
        { "i", "ana@inf.unam.mx", "", "d", "cinco cuatro " },  /* capitals of a domain are nothing */
        { "j", "ana@otra.org", "inf.unam.mx", "d", "cinco " }, /* those of a group are something */
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        void *fixture = NULL;
        assert_int_equal(fixture_setup(&fixture), 0);
        Fixture *f = fixture;
        _cleanup_request_ Request r = { 0 };
        Add a = { .r = &r };
        char text[256] = "";

        put_destination(f->store, "dos", "unam.mx", false);
        put_destination(f->store, "uno", "unam.mx", false);
        put_destination(f->store, "tres", "lanot", false);
        put_destination(f->store, "sin", "", false);
        put_destination(f->store, "cinco", "inf.unam.mx", false);
        put_destination(f->store, "cuatro", "INF.unam.MX", false);
        if (cases[i].default_one)
            put_destination(f->store, cases[i].default_one, "", true);
        assert_int_equal(insert(f->store, cases[i].id, cases[i].email, &r), 0);
        strcpy(r.group, cases[i].group);
        assert_int_equal(store_write_wait(f->store, automatic_job, &a), 0);
        assert_int_equal(store_list_exports(f->store, r.life, names, text), 0);
        if (!streq(text, cases[i].expected))
            fail_msg("%s: %s", cases[i].id, text);
        assert_int_equal(fixture_teardown(&fixture), 0);
    }
}

typedef struct Update {
    Export e;
    ExportState was;
    uint32_t run;
} Update;

static int update_job(StoreTx *tx, void *userdata) {
    Update *u = userdata;
    return tx_export_update(tx, &u->e, u->was, u->run);
}

static void one_at_a_time_to_each(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    _cleanup_export_ Export back = { 0 }, by_token = { 0 };
    Destination one = put_destination(f->store, "uno", "", false), two = put_destination(f->store, "dos", "", false);

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    Add a = { .r = &r, .to = &one }, b = { .r = &r, .to = &two };
    assert_int_equal(store_write_wait(f->store, add_job, &a), 0);
    assert_int_equal(a.e.n, 1);
    assert_string_equal(a.e.id, "x");
    assert_int_equal(store_write_wait(f->store, add_job, &a), -EALREADY);
    assert_int_equal(store_write_wait(f->store, add_job, &b), 0);
    assert_int_equal(b.e.n, 2);

    Update u = { .e = a.e, .was = EXPORT_PENDIENTE };
    u.e.state = EXPORT_SUBIENDO;
    u.e.run = 1;
    strcpy(u.e.token, TOKEN);
    assert_int_equal(store_write_wait(f->store, update_job, &u), 0);
    assert_int_equal(store_write_wait(f->store, update_job, &u), -ESTALE);
    assert_int_equal(store_export_by_token(f->store, TOKEN, &by_token), 0);
    assert_int_equal(by_token.n, 1);
    assert_int_equal(store_export_by_token(f->store, "x", &by_token), -EINVAL);
    u = (Update) { .e = u.e, .was = EXPORT_SUBIENDO, .run = 1 };
    u.e.state = EXPORT_LISTO;
    u.e.token[0] = '\0';
    u.e.bytes = 7;
    assert_int_equal(store_write_wait(f->store, update_job, &u), 0);
    assert_int_equal(store_export_by_token(f->store, TOKEN, &back), -ENOENT);
    assert_int_equal(store_export(f->store, r.life, 1, &back), 0);
    assert_int_equal(back.state, EXPORT_LISTO);
    assert_int_equal(back.bytes, 7);
    assert_int_equal(store_write_wait(f->store, add_job, &a), 0); /* over: again, under a number of its own */
    assert_int_equal(a.e.n, 3);
}

static int cancel_life_job(StoreTx *tx, void *userdata) {
    return tx_exports_cancel_life(tx, *(uint64_t *) userdata, "fin", START + 1);
}

static int cancel_destination_job(StoreTx *tx, void *userdata) {
    return tx_exports_cancel_destination(tx, *(uint64_t *) userdata, "sin destino", START + 1);
}

static int count_active(const Export *e, void *userdata) {
    ++*(unsigned *) userdata;
    return 0;
}

static void what_is_not_over_can_be_cancelled_at_once(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 }, other = { 0 };
    _cleanup_export_ Export e = { 0 };
    Destination one = put_destination(f->store, "uno", "", false), two = put_destination(f->store, "dos", "", false);
    unsigned n = 0;

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    assert_int_equal(insert(f->store, "y", "a@b.org", &other), 0);
    assert_int_equal(store_write_wait(f->store, add_job, &(Add) { .r = &r, .to = &one }), 0);
    assert_int_equal(store_write_wait(f->store, add_job, &(Add) { .r = &r, .to = &two }), 0);
    assert_int_equal(store_write_wait(f->store, add_job, &(Add) { .r = &other, .to = &two }), 0);
    assert_int_equal(store_list_active_exports(f->store, EXPORT_PENDIENTE, 100, count_active, &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(store_write_wait(f->store, cancel_destination_job, &one.id), 0);
    assert_int_equal(store_write_wait(f->store, cancel_life_job, &r.life), 0);
    n = 0;
    assert_int_equal(store_list_active_exports(f->store, EXPORT_PENDIENTE, 100, count_active, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(store_export(f->store, r.life, 1, &e), 0);
    assert_int_equal(e.state, EXPORT_CANCELADO);
    assert_string_equal(e.message, "sin destino");
    assert_int_equal(e.ended, START + 1);
}

static int fill_exports_job(StoreTx *tx, void *userdata) {
    Add *a = userdata;
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < STORE_EXPORTS_MAX; i++) {
        r = tx_export_add(tx, a->r, a->to, false, START, NULL);
        if (r >= 0)
            r = tx_exports_cancel_life(tx, a->r->life, NULL, START);
    }
    return r;
}

static int lines_job(StoreTx *tx, void *userdata) {
    uint64_t life = *(uint64_t *) userdata;
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < STORE_EXPORT_LINES_MAX + 5; i++)
        r = tx_export_line(tx, life, 1, START + i, "[FTP Upload] x");
    return r;
}

typedef struct Lines {
    unsigned n;
    char last[128];
} Lines;

static int keep_line(uint32_t n, int64_t at, const char *text, void *userdata) {
    Lines *l = userdata;

    assert_int_equal(n, 1);
    assert_int_equal(at, START + l->n++);
    snprintf(l->last, sizeof(l->last), "%s", text);
    return 0;
}

static void there_are_limits(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    Destination one = put_destination(f->store, "uno", "b.org", false);
    Add a = { .r = &r, .to = &one };
    Lines l = { 0 };

    assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
    assert_int_equal(store_write_wait(f->store, fill_exports_job, &a), 0);
    assert_int_equal(store_write_wait(f->store, add_job, &a), -EDQUOT);
    assert_int_equal(store_write_wait(f->store, automatic_job, &a), 0); /* a finished request is not held up by it */
    assert_int_equal(a.added, 0);
    assert_int_equal(a.left_out, 1);
    assert_int_equal(store_write_wait(f->store, lines_job, &r.life), 0);
    assert_int_equal(store_list_export_lines(f->store, r.life, keep_line, &l), 0);
    assert_int_equal(l.n, STORE_EXPORT_LINES_MAX);
    assert_non_null(strstr(l.last, "journal"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_gets_a_request_by_itself),
        cmocka_unit_test_setup_teardown(one_at_a_time_to_each, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_over_can_be_cancelled_at_once, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(there_are_limits, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
