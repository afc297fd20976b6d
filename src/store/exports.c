/* Tables `exports` and `export_lines`: each time that a request is pushed on, and what is told of it. Rows stay; a row that is not over is one of the queue.
 *
 * Two uploads of one life to one destination are never under way at once: an index sees to it. Starting and ending them is api/exports.c's business. */
#include "store/handles.h"

#include "basic/strings.h"

#include <errno.h>

enum {
    COLUMN_EXPORT_LIFE, COLUMN_EXPORT_N, COLUMN_EXPORT_DESTINATION, COLUMN_EXPORT_NAME, COLUMN_EXPORT_TYPE, COLUMN_EXPORT_AUTOMATIC, COLUMN_EXPORT_STATE,
    COLUMN_EXPORT_RUN, COLUMN_EXPORT_TOKEN, COLUMN_EXPORT_BYTES, COLUMN_EXPORT_FILES, COLUMN_EXPORT_MESSAGE, COLUMN_EXPORT_CREATED, COLUMN_EXPORT_ENDED,
    COLUMN_EXPORT_REQUEST,
};

void export_done(Export *e) {
    free(e->message);
    e->message = NULL;
}

static int export_read(const Query *q, Export *ret) {
    Export e = {
        .life = (uint64_t) query_column_integer(q, COLUMN_EXPORT_LIFE),
        .n = (uint32_t) query_column_integer(q, COLUMN_EXPORT_N),
        .destination = (uint64_t) query_column_integer(q, COLUMN_EXPORT_DESTINATION),
        .automatic = query_column_integer(q, COLUMN_EXPORT_AUTOMATIC) != 0,
        .run = (uint32_t) query_column_integer(q, COLUMN_EXPORT_RUN),
        .bytes = (uint64_t) query_column_integer(q, COLUMN_EXPORT_BYTES),
        .files = (uint64_t) query_column_integer(q, COLUMN_EXPORT_FILES),
        .created = query_column_integer(q, COLUMN_EXPORT_CREATED),
        .ended = query_column_integer(q, COLUMN_EXPORT_ENDED),
    };
    const char *type = query_column_text(q, COLUMN_EXPORT_TYPE), *state = query_column_text(q, COLUMN_EXPORT_STATE);
    int r = type && state && destination_type_parse(type, &e.type) >= 0 && export_state_parse(state, &e.state) >= 0 ? 0 : -EBADMSG;

    if (r >= 0)
        r = query_column_fixed(q, COLUMN_EXPORT_NAME, e.name, sizeof(e.name));
    if (r >= 0)
        r = query_column_fixed(q, COLUMN_EXPORT_TOKEN, e.token, sizeof(e.token));
    if (r >= 0)
        r = query_column_fixed(q, COLUMN_EXPORT_REQUEST, e.id, sizeof(e.id));
    if (r >= 0)
        r = query_column_copy(q, COLUMN_EXPORT_MESSAGE, &e.message);
    if (r >= 0)
        *ret = e;
    return r;
}

static int export_get(Query *q, Export *ret) {
    int r = query_step(q);

    return r < 0 ? r : r == 0 ? -ENOENT : export_read(q, ret);
}

static int by_number(Connection *c, uint64_t life, uint32_t n, Export *ret) {
    _cleanup_query_ Query q = query_start(c, SQL_EXPORT);

    query_unsigned(&q, 1, life);
    query_integer(&q, 2, n);
    return export_get(&q, ret);
}

int store_export(Store *s, uint64_t life, uint32_t n, Export *ret) {
    return by_number(s->reader, life, n, ret);
}

int tx_export(StoreTx *tx, uint64_t life, uint32_t n, Export *ret) {
    return by_number(tx->connection, life, n, ret);
}

int store_export_by_token(Store *s, const char *token, Export *ret) {
    uint8_t bytes[EXPORT_TOKEN_SIZE / 2];

    if (hex_decode(token, bytes, sizeof(bytes)) < 0)
        return -EINVAL;
    _cleanup_query_ Query q = query_start(s->reader, SQL_EXPORT_BY_TOKEN);
    query_text(&q, 1, token);
    return export_get(&q, ret);
}

static int walk_exports(Query *q, ExportWalk walk, void *userdata) {
    int r;

    while ((r = query_step(q)) > 0) {
        _cleanup_export_ Export e = { 0 };

        r = export_read(q, &e);
        if (r >= 0)
            r = walk(&e, userdata);
        if (r != 0)
            return r;
    }
    return r;
}

int store_list_exports(Store *s, uint64_t life, ExportWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_EXPORTS);

    query_unsigned(&q, 1, life);
    return walk_exports(&q, walk, userdata);
}

int store_list_active_exports(Store *s, ExportState state, size_t limit, ExportWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_EXPORTS_ACTIVE);

    query_text(&q, 1, export_state_name(state));
    query_unsigned(&q, 2, limit);
    return walk_exports(&q, walk, userdata);
}

int store_list_export_lines(Store *s, uint64_t life, ExportLineWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_EXPORT_LINES);
    int r;

    query_unsigned(&q, 1, life);
    while ((r = query_step(&q)) > 0) {
        const char *text = query_column_text(&q, 2);

        r = walk((uint32_t) query_column_integer(&q, 0), query_column_integer(&q, 1), text ? text : "", userdata);
        if (r != 0)
            return r;
    }
    return r;
}

/* ---- inside jobs ---- */

/* The one number of a statement that is bound. */
static int number(Query *q, uint64_t *ret) {
    int r = query_step(q);

    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    *ret = (uint64_t) query_column_integer(q, 0);
    return 0;
}

static int count_waiting(StoreTx *tx, uint64_t *ret) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_EXPORTS_WAITING);

    return number(&q, ret);
}

static int next_number(StoreTx *tx, uint64_t life, uint64_t *ret) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_EXPORT_NEXT);

    query_unsigned(&q, 1, life);
    return number(&q, ret);
}

int tx_export_add(StoreTx *tx, const Request *r, const Destination *to, bool automatic, int64_t now, Export *ret) {
    uint64_t waiting = 0, n = 0;
    int k = count_waiting(tx, &waiting);

    if (k >= 0 && waiting >= STORE_EXPORTS_WAITING_MAX)
        k = -EAGAIN;
    if (k >= 0)
        k = next_number(tx, r->life, &n);
    if (k >= 0 && n > STORE_EXPORTS_MAX)
        k = -EDQUOT;
    if (k < 0)
        return k;
    _cleanup_query_ Query q = query_start(tx->connection, SQL_EXPORT_INSERT);
    query_unsigned(&q, 1, r->life);
    query_unsigned(&q, 2, n);
    query_unsigned(&q, 3, to->id);
    query_text(&q, 4, to->name);
    query_text(&q, 5, destination_type_name(to->type));
    query_integer(&q, 6, automatic);
    query_integer(&q, 7, now);
    k = query_run(&q);
    if (k < 0)
        return k == -EEXIST ? -EALREADY : k; /* by the index of those that are not over: n is new */
    changes_note(tx->changes, r->life);
    return ret ? tx_export(tx, r->life, (uint32_t) n, ret) : 0;
}

typedef struct Automatic {
    StoreTx *tx;
    const Request *request;
    int64_t now;
    unsigned added, left_out;
} Automatic;

static int add_automatic(const Destination *d, void *userdata) {
    Automatic *a = userdata;
    int r = tx_export_add(a->tx, a->request, d, true, a->now, NULL);

    if (r == -EDQUOT || r == -EAGAIN) {
        a->left_out++;
        return 0;
    }
    a->added += r >= 0;
    return r;
}

int tx_exports_automatic(StoreTx *tx, const Request *r, int64_t now, unsigned *ret_added, unsigned *ret_left_out) {
    Automatic a = { .tx = tx, .request = r, .now = now };
    bool domain;
    const char *group = request_export_group(r, &domain);
    int k = tx_list_group(tx, group, domain, add_automatic, &a);

    if (k >= 0 && a.added + a.left_out == 0) {
        _cleanup_destination_ Destination d = { 0 };
        k = tx_destination_default(tx, &d);
        k = k == -ENOENT ? 0 : k < 0 ? k : add_automatic(&d, &a);
    }
    if (k < 0)
        return k;
    *ret_added = a.added;
    *ret_left_out = a.left_out;
    return 0;
}

int tx_export_update(StoreTx *tx, const Export *e, ExportState was, uint32_t run) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_EXPORT_UPDATE);
    int r;

    changes_note(tx->changes, e->life);
    query_unsigned(&q, 1, e->life);
    query_integer(&q, 2, e->n);
    query_text(&q, 3, export_state_name(e->state));
    query_integer(&q, 4, e->run);
    query_text_or_null(&q, 5, e->token);
    query_unsigned(&q, 6, e->bytes);
    query_unsigned(&q, 7, e->files);
    query_text(&q, 8, e->message);
    query_integer(&q, 9, e->ended);
    query_text(&q, 10, export_state_name(was));
    query_integer(&q, 11, run);
    r = query_step(&q);
    return r < 0 ? r : r == 0 ? -ESTALE : query_run(&q);
}

static int cancel(StoreTx *tx, StatementId statement, uint64_t whose, const char *message, int64_t now) {
    _cleanup_query_ Query q = query_start(tx->connection, statement);

    query_unsigned(&q, 1, whose);
    query_text(&q, 2, message);
    query_integer(&q, 3, now);
    return query_run(&q);
}

int tx_exports_cancel_life(StoreTx *tx, uint64_t life, const char *message, int64_t now) {
    changes_note(tx->changes, life);
    return cancel(tx, SQL_EXPORTS_CANCEL_LIFE, life, message, now);
}

int tx_exports_cancel_destination(StoreTx *tx, uint64_t destination, const char *message, int64_t now) {
    changes_note_any(tx->changes);
    return cancel(tx, SQL_EXPORTS_CANCEL_DESTINATION, destination, message, now);
}

static int next_line(StoreTx *tx, uint64_t life, uint32_t n, uint64_t *ret) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_EXPORT_LINE_NEXT);

    query_unsigned(&q, 1, life);
    query_integer(&q, 2, n);
    return number(&q, ret);
}

int tx_export_line(StoreTx *tx, uint64_t life, uint32_t n, int64_t at, const char *text) {
    uint64_t line = 0;
    int r = next_line(tx, life, n, &line);

    if (r < 0 || line > STORE_EXPORT_LINES_MAX)
        return r;
    _cleanup_query_ Query q = query_start(tx->connection, SQL_EXPORT_LINE_INSERT);
    query_unsigned(&q, 1, life);
    query_integer(&q, 2, n);
    query_unsigned(&q, 3, line);
    query_integer(&q, 4, at);
    query_text(&q, 5, line == STORE_EXPORT_LINES_MAX ? "[FTP Upload] the journal has more lines" : text);
    return query_run(&q);
}
