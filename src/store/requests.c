/* Table `requests`: rows in and out, and the two writes that everything is made of: a new row, a
 * change with its guard.
 *
 * A change says which state it expects; a row that is elsewhere by now is left alone (-ESTALE):
 * the first commit wins. Which moves exist is model/state.h's business, why they happen the
 * caller's. */
#include "store/handles.h"

#include "basic/strings.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#define RUN_TOKEN_LENGTH 32

int request_read(const Query *q, Request *ret) {
    _cleanup_request_ Request r = { 0 };
    const char *state = query_column_text(q, COLUMN_STATE);
    int e;

    e = state ? state_parse(state, &r.state) : -EBADMSG;
    if (e >= 0)
        e = query_column_fixed(q, COLUMN_ID, r.id, sizeof(r.id));
    if (e >= 0)
        e = query_column_fixed(q, COLUMN_EMAIL, r.email, sizeof(r.email));
    if (e >= 0)
        e = query_column_fixed(q, COLUMN_ACCOUNT, r.account, sizeof(r.account));
    if (e >= 0)
        e = query_column_fixed(q, COLUMN_GROUP, r.group, sizeof(r.group));
    if (e >= 0)
        e = query_column_fixed(q, COLUMN_TOKEN, r.token, sizeof(r.token));
    if (e >= 0)
        e = query_column_copy(q, COLUMN_RUTA, &r.ruta);
    if (e >= 0)
        e = query_column_copy(q, COLUMN_MESSAGE, &r.message);
    if (e < 0)
        return e == -EINVAL ? -EBADMSG : e;
    r.life = (uint64_t) query_column_integer(q, COLUMN_LIFE);
    r.run = (uint32_t) query_column_integer(q, COLUMN_RUN);
    r.vigencia = (int) query_column_integer(q, COLUMN_VIGENCIA);
    r.created = query_column_integer(q, COLUMN_CREATED);
    r.ready = query_column_integer(q, COLUMN_READY);
    r.expires = query_column_integer(q, COLUMN_EXPIRES);
    r.retry_at = query_column_integer(q, COLUMN_RETRY_AT);
    r.copied = query_column_integer(q, COLUMN_COPIED) != 0;
    r.sized = query_column_integer(q, COLUMN_SIZED) != 0;
    r.bytes = (uint64_t) query_column_integer(q, COLUMN_BYTES);
    r.files = (uint64_t) query_column_integer(q, COLUMN_FILES);
    *ret = r;
    r = (Request) { 0 }; /* its strings are the caller's now */
    return 0;
}

/* ---- one row ---- */

/* Steps a bound query that gives one row or none. */
static int read_one(Query *q, Request *ret) {
    int r = query_step(q);

    return r < 0 ? r : r == 0 ? -ENOENT : request_read(q, ret);
}

static int get_by_text(Connection *c, StatementId statement, const char *text, Request *ret) {
    _cleanup_query_ Query q = query_start(c, statement);

    query_text(&q, 1, text);
    return read_one(&q, ret);
}

static int get_by_life(Connection *c, uint64_t life, Request *ret) {
    _cleanup_query_ Query q = query_start(c, SQL_REQUEST_BY_LIFE);

    query_unsigned(&q, 1, life);
    return read_one(&q, ret);
}

int store_get(Store *s, const char *id, Request *ret) {
    return get_by_text(s->reader, SQL_REQUEST_BY_ID, id, ret);
}

int store_get_life(Store *s, uint64_t life, Request *ret) {
    return get_by_life(s->reader, life, ret);
}

int store_get_token(Store *s, const char *token, Request *ret) {
    if (strlen(token) != RUN_TOKEN_LENGTH)
        return -EINVAL;
    for (const char *c = token; *c; c++)
        if (!isxdigit((unsigned char) *c))
            return -EINVAL;
    return get_by_text(s->reader, SQL_REQUEST_BY_TOKEN, token, ret);
}

int tx_get(StoreTx *tx, const char *id, Request *ret) {
    return get_by_text(tx->connection, SQL_REQUEST_BY_ID, id, ret);
}

int tx_get_life(StoreTx *tx, uint64_t life, Request *ret) {
    return get_by_life(tx->connection, life, ret);
}

void request_view_done(RequestView *v) {
    request_done(&v->request);
    free(v->token);
    v->token = NULL;
}

int store_view(Store *s, const char *id, RequestView *ret) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_REQUEST_VIEW);
    _cleanup_request_view_ RequestView v = { 0 };
    int r;

    query_text(&q, 1, id);
    r = read_one(&q, &v.request);
    if (r >= 0)
        r = query_column_copy(&q, REQUEST_COLUMN_MAX, &v.token);
    if (r < 0)
        return r;
    v.downloads = (Downloads) {
        .count = (uint64_t) query_column_integer(&q, REQUEST_COLUMN_MAX + 1),
        .last = query_column_integer(&q, REQUEST_COLUMN_MAX + 2),
        .bytes = (uint64_t) query_column_integer(&q, REQUEST_COLUMN_MAX + 3),
    };
    v.drop_bytes = (uint64_t) query_column_integer(&q, REQUEST_COLUMN_MAX + 4);
    *ret = v;
    v = (RequestView) { 0 };
    return 0;
}

/* ---- walks ---- */

static int walk_requests(Query *q, RequestWalk walk, void *userdata) {
    int r;

    while ((r = query_step(q)) > 0) {
        _cleanup_request_ Request row = { 0 };

        r = request_read(q, &row);
        if (r >= 0)
            r = walk(&row, userdata);
        if (r != 0)
            return r;
    }
    return r;
}

static void query_limit(Query *q, int parameter, size_t limit) {
    query_integer(q, parameter, limit > INT64_MAX ? INT64_MAX : (int64_t) limit);
}

int store_list(Store *s, State state, uint64_t after_life, size_t limit, RequestWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, state == STATE_MAX ? SQL_REQUESTS_ALL : SQL_REQUESTS_IN_STATE);

    query_unsigned(&q, 1, after_life);
    query_limit(&q, 2, limit);
    if (state != STATE_MAX)
        query_text(&q, 3, state_name(state));
    return walk_requests(&q, walk, userdata);
}

int store_list_account(Store *s, const char *account, RequestWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_REQUESTS_OF_ACCOUNT);

    query_text(&q, 1, account);
    return walk_requests(&q, walk, userdata);
}

int store_list_email(Store *s, const char *email, RequestWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_REQUESTS_OF_EMAIL);

    query_text(&q, 1, email);
    return walk_requests(&q, walk, userdata);
}

int store_list_due(Store *s, int64_t now, size_t limit, RequestWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_REQUESTS_DUE);

    query_integer(&q, 1, now);
    query_limit(&q, 2, limit);
    return walk_requests(&q, walk, userdata);
}

int store_list_next_expiries(Store *s, size_t limit, RequestWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_REQUESTS_NEXT_EXPIRIES);

    query_limit(&q, 1, limit);
    return walk_requests(&q, walk, userdata);
}

/* ---- writes ---- */

static int insert_row(Connection *c, const NewRequest *n, int64_t now) {
    _cleanup_query_ Query q = query_start(c, SQL_REQUEST_INSERT);

    query_text(&q, 1, n->id);
    query_text(&q, 2, n->email);
    query_text_or_null(&q, 3, n->group);
    query_text(&q, 4, n->ruta);
    query_integer(&q, 5, n->vigencia);
    query_integer(&q, 6, now);
    return query_run(&q);
}

int tx_insert(StoreTx *tx, const NewRequest *n, const Actor *who, Request *ret) {
    _cleanup_request_ Request row = { .state = STATE_RECIBIDO, .vigencia = n->vigencia, .created = who->now };
    int r;

    r = insert_row(tx->connection, n, who->now);
    if (r == -EEXIST) {
        r = tx_get(tx, n->id, ret);
        return r < 0 ? r : -EEXIST;
    }
    if (r < 0)
        return r;
    row.life = (uint64_t) sqlite3_last_insert_rowid(tx->connection->db);
    memcpy(row.id, n->id, sizeof(row.id));
    memcpy(row.email, n->email, sizeof(row.email));
    memcpy(row.group, n->group, sizeof(row.group));
    row.ruta = strdup(n->ruta);
    if (!row.ruta)
        return -ENOMEM;
    r = event_append(tx->connection, row.life, STATE_RECIBIDO, NULL, who, true);
    if (r < 0)
        return r;
    *ret = row;
    row = (Request) { 0 };
    return 0;
}

/* -ENOENT; -ESTALE when it is not the expected one: *ret_actual says which. */
static int guard_state(Connection *c, uint64_t life, State expected, State *ret_actual) {
    _cleanup_query_ Query q = query_start(c, SQL_REQUEST_STATE);
    const char *name;
    State actual;
    int r;

    query_unsigned(&q, 1, life);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    name = query_column_text(&q, 0);
    if (!name || state_parse(name, &actual) < 0)
        return -EBADMSG;
    if (actual == expected)
        return 0;
    if (ret_actual)
        *ret_actual = actual;
    return -ESTALE;
}

static int update_row(Connection *c, const Request *r, State to) {
    _cleanup_query_ Query q = query_start(c, SQL_REQUEST_UPDATE);

    query_unsigned(&q, 1, r->life);
    query_text(&q, 2, state_name(to));
    query_integer(&q, 3, r->run);
    query_text_or_null(&q, 4, r->account);
    query_text(&q, 5, r->message);
    query_integer(&q, 6, r->vigencia);
    query_integer(&q, 7, r->ready);
    query_integer(&q, 8, r->expires);
    query_integer(&q, 9, r->retry_at);
    query_integer(&q, 10, r->copied);
    query_integer(&q, 11, r->sized);
    query_unsigned(&q, 12, r->bytes);
    query_unsigned(&q, 13, r->files);
    query_text_or_null(&q, 14, r->token);
    return query_run(&q);
}

int tx_move(StoreTx *tx, Request *r, State to, const char *text, const Actor *who, State *ret_actual) {
    int e;

    e = guard_state(tx->connection, r->life, r->state, ret_actual);
    if (e < 0)
        return e;
    if (!state_may_move(r->state, to))
        return -EPERM;
    e = update_row(tx->connection, r, to);
    if (e >= 0) /* ending or withdrawing access must always be possible */
        e = event_append(tx->connection, r->life, to, text, who, state_is_final(to) || to == STATE_BLOQUEADO);
    if (e < 0)
        return e;
    r->state = to;
    return 0;
}

int tx_update(StoreTx *tx, Request *r, const char *text, const Actor *who, State *ret_actual) {
    int e;

    e = guard_state(tx->connection, r->life, r->state, ret_actual);
    if (e >= 0)
        e = update_row(tx->connection, r, r->state);
    if (e >= 0 && text)
        e = event_append(tx->connection, r->life, r->state, text, who, false);
    return e;
}
