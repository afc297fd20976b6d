/* A store in a folder of its own, on the build folder's disk, for the tests of the store's files. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define START 1700000000 /* UTC seconds; tests bring their own clock */

typedef struct Fixture {
    char folder[64];
    char path[80];
    Store *store;
} Fixture;

static inline _unused_ void fixture_folder(Fixture *f) {
    (void) mkdir("tmp", 0700);
    snprintf(f->folder, sizeof(f->folder), "tmp/store-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/state.db", f->folder);
}

static inline _unused_ void fixture_reopen(Fixture *f) {
    f->store = store_free(f->store);
    assert_int_equal(store_open(f->path, &f->store), 0);
}

static inline _unused_ int fixture_setup(void **state) {
    Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    fixture_folder(f);
    fixture_reopen(f);
    *state = f;
    return 0;
}

static inline _unused_ int fixture_teardown(void **state) {
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
    Fixture *f = *state;
    char path[128];

    store_free(f->store);
    for (size_t i = 0; i < ELEMENTS(suffixes); i++) {
        snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
        (void) unlink(path);
    }
    (void) rmdir(f->folder);
    free(f);
    return 0;
}

/* Dispatches callbacks until *count reaches `to`; a minute without any is a failure. */
static inline _unused_ void dispatch_until(Store *s, const unsigned *count, unsigned to) {
    struct pollfd p = { .fd = store_fd(s), .events = POLLIN };

    while (*count < to) {
        assert_int_equal(poll(&p, 1, 60000), 1);
        store_dispatch(s);
    }
}

static const Actor test_actor _unused_ = { .name = "test", .request_id = "req-1", .now = START };

static inline _unused_ NewRequest new_request(const char *id, const char *email) {
    NewRequest n = { .vigencia = 5 };

    snprintf(n.id, sizeof(n.id), "%s", id);
    snprintf(n.email, sizeof(n.email), "%s", email);
    n.ruta = strdup("source:/data/set");
    assert_non_null(n.ruta);
    return n;
}

/* ---- jobs ---- */

typedef struct Insert {
    NewRequest n;
    Request row;
} Insert;

static inline _unused_ int insert_job(StoreTx *tx, void *userdata) {
    Insert *i = userdata;

    return tx_insert(tx, &i->n, &test_actor, &i->row);
}

/* Inserts one request; the caller owns *ret. */
static inline _unused_ int insert(Store *s, const char *id, const char *email, Request *ret) {
    Insert i = { .n = new_request(id, email) };
    int r = store_write_wait(s, insert_job, &i);

    new_request_done(&i.n);
    if (r >= 0 || r == -EEXIST)
        *ret = i.row;
    else
        request_done(&i.row); /* the job ran, its commit failed */
    return r;
}

typedef struct Move {
    Request *r;
    State to;
    const char *text;
    State actual;
} Move;

static inline _unused_ int move_job(StoreTx *tx, void *userdata) {
    Move *m = userdata;

    return m->to == STATE_MAX ? tx_update(tx, m->r, m->text, &test_actor, &m->actual)
                              : tx_move(tx, m->r, m->to, m->text, &test_actor, &m->actual);
}

static inline _unused_ int move(Store *s, Request *r, State to, const char *text) {
    Move m = { .r = r, .to = to, .text = text };

    return store_write_wait(s, move_job, &m);
}

/* Along the states' table, to listo with an end. */
static inline _unused_ void move_to_listo(Store *s, Request *r, int64_t expires) {
    assert_int_equal(move(s, r, STATE_PREPARANDO, NULL), 0);
    assert_int_equal(move(s, r, STATE_TRASLADO, NULL), 0);
    r->ready = START;
    r->expires = expires;
    assert_int_equal(move(s, r, STATE_LISTO, NULL), 0);
}

typedef struct Put {
    Account a;
} Put;

static inline _unused_ int put_job(StoreTx *tx, void *userdata) {
    Put *p = userdata;

    return tx_account_put(tx, &p->a);
}

static inline _unused_ int put_account(Store *s, const char *name, const char *email, const char *hash, const char *token) {
    Put p = { .a = { .created = START } };
    int r;

    snprintf(p.a.name, sizeof(p.a.name), "%s", name);
    snprintf(p.a.email, sizeof(p.a.email), "%s", email);
    p.a.hash = hash ? strdup(hash) : NULL;
    p.a.token = token ? strdup(token) : NULL;
    r = store_write_wait(s, put_job, &p);
    account_done(&p.a);
    return r;
}

/* Walkers: the ids they met, in order, with blanks between. */
typedef struct Ids {
    char text[4096];
    unsigned rows;
} Ids;

static inline _unused_ int collect_ids(const Request *r, void *userdata) {
    Ids *ids = userdata;
    size_t length = strlen(ids->text);

    snprintf(ids->text + length, sizeof(ids->text) - length, "%s%s", ids->rows++ ? " " : "", r->id);
    return 0;
}
