/* Table `destinations`: partners' servers. Secrets arrive encrypted and leave so; what is done with a destination stands in exports.c. */
#include "store/handles.h"

#include "basic/strings.h"

#include <errno.h>

enum {
    COLUMN_DESTINATION_ID, COLUMN_DESTINATION_NAME, COLUMN_DESTINATION_TYPE, COLUMN_DESTINATION_HOST, COLUMN_DESTINATION_PORT, COLUMN_DESTINATION_USERNAME,
    COLUMN_DESTINATION_PASSWORD, COLUMN_DESTINATION_SSH_KEY, COLUMN_DESTINATION_PATH, COLUMN_DESTINATION_GROUP, COLUMN_DESTINATION_DEFAULT,
    COLUMN_DESTINATION_HOST_KEY, COLUMN_DESTINATION_SEEN_KEY, COLUMN_DESTINATION_CREATED,
};

static int destination_read(const Query *q, Destination *ret) {
    _cleanup_destination_ Destination d = {
        .id = (uint64_t) query_column_integer(q, COLUMN_DESTINATION_ID),
        .port = (uint16_t) query_column_integer(q, COLUMN_DESTINATION_PORT),
        .is_default = query_column_integer(q, COLUMN_DESTINATION_DEFAULT) != 0,
        .created = query_column_integer(q, COLUMN_DESTINATION_CREATED),
    };
    const struct {
        int column;
        char *to;
        size_t size;
    } texts[] = {
        { COLUMN_DESTINATION_NAME, d.name, sizeof(d.name) },
        { COLUMN_DESTINATION_HOST, d.host, sizeof(d.host) },
        { COLUMN_DESTINATION_USERNAME, d.username, sizeof(d.username) },
        { COLUMN_DESTINATION_PATH, d.path, sizeof(d.path) },
        { COLUMN_DESTINATION_GROUP, d.group, sizeof(d.group) },
        { COLUMN_DESTINATION_HOST_KEY, d.host_key, sizeof(d.host_key) },
        { COLUMN_DESTINATION_SEEN_KEY, d.seen_key, sizeof(d.seen_key) },
    };
    const char *type = query_column_text(q, COLUMN_DESTINATION_TYPE);
    int r = type && destination_type_parse(type, &d.type) >= 0 ? 0 : -EBADMSG;

    for (size_t i = 0; r >= 0 && i < ELEMENTS(texts); i++)
        r = query_column_fixed(q, texts[i].column, texts[i].to, texts[i].size);
    if (r >= 0)
        r = query_column_copy(q, COLUMN_DESTINATION_PASSWORD, &d.password);
    if (r >= 0)
        r = query_column_copy(q, COLUMN_DESTINATION_SSH_KEY, &d.ssh_key);
    if (r < 0)
        return r;
    *ret = d;
    d.password = d.ssh_key = NULL;
    return 0;
}

/* The one row of a statement that is bound. */
static int destination_get(Query *q, Destination *ret) {
    int r = query_step(q);

    return r < 0 ? r : r == 0 ? -ENOENT : destination_read(q, ret);
}

static int by_id(Connection *c, uint64_t id, Destination *ret) {
    _cleanup_query_ Query q = query_start(c, SQL_DESTINATION_BY_ID);

    query_unsigned(&q, 1, id);
    return destination_get(&q, ret);
}

int store_destination(Store *s, uint64_t id, Destination *ret) {
    return by_id(s->reader, id, ret);
}

int tx_destination(StoreTx *tx, uint64_t id, Destination *ret) {
    return by_id(tx->connection, id, ret);
}

int store_destination_by_name(Store *s, const char *name, Destination *ret) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_DESTINATION_BY_NAME);

    query_text(&q, 1, name);
    return destination_get(&q, ret);
}

int tx_destination_default(StoreTx *tx, Destination *ret) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_DESTINATION_DEFAULT);

    return destination_get(&q, ret);
}

static int count(Connection *c, uint64_t *ret) {
    _cleanup_query_ Query q = query_start(c, SQL_DESTINATION_COUNT);
    int r = query_step(&q);

    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    *ret = (uint64_t) query_column_integer(&q, 0);
    return 0;
}

int store_count_destinations(Store *s, uint64_t *ret) {
    return count(s->reader, ret);
}

static int walk_destinations(Query *q, DestinationWalk walk, void *userdata) {
    int r;

    while ((r = query_step(q)) > 0) {
        _cleanup_destination_ Destination d = { 0 };

        r = destination_read(q, &d);
        if (r >= 0)
            r = walk(&d, userdata);
        if (r != 0)
            return r;
    }
    return r;
}

int store_list_destinations(Store *s, size_t limit, size_t offset, DestinationWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_DESTINATIONS);

    query_unsigned(&q, 1, limit);
    query_unsigned(&q, 2, offset);
    return walk_destinations(&q, walk, userdata);
}

int tx_list_group(StoreTx *tx, const char *group, bool domain, DestinationWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_DESTINATIONS_OF_GROUP);

    query_text(&q, 1, group);
    query_unsigned(&q, 2, domain);
    return walk_destinations(&q, walk, userdata);
}

/* ---- inside jobs ---- */

static int no_default(StoreTx *tx) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_DESTINATION_NO_DEFAULT);

    return query_run(&q);
}

static int check_room(StoreTx *tx) {
    uint64_t n = 0;
    int r = count(tx->connection, &n);

    return r < 0 ? r : n >= STORE_DESTINATIONS_MAX ? -EDQUOT : 0;
}

static int put_row(StoreTx *tx, Destination *d) {
    _cleanup_query_ Query q = query_start(tx->connection, d->id ? SQL_DESTINATION_UPDATE : SQL_DESTINATION_INSERT);
    int r;

    query_text(&q, 1, d->name);
    query_text(&q, 2, destination_type_name(d->type));
    query_text(&q, 3, d->host);
    query_integer(&q, 4, d->port);
    query_text(&q, 5, d->username);
    query_text(&q, 6, d->password);
    query_text(&q, 7, d->ssh_key);
    query_text(&q, 8, d->path);
    query_text_or_null(&q, 9, d->group);
    query_integer(&q, 10, d->is_default);
    query_text_or_null(&q, 11, d->host_key);
    query_text_or_null(&q, 12, d->seen_key);
    query_integer(&q, 13, d->created);
    if (d->id)
        query_unsigned(&q, 14, d->id);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    d->id = (uint64_t) query_column_integer(&q, 0);
    return query_run(&q); /* to its end: only then it is done */
}

int tx_destination_put(StoreTx *tx, Destination *d) {
    int r = d->id ? 0 : check_room(tx);

    if (r >= 0 && d->is_default)
        r = no_default(tx);
    return r < 0 ? r : put_row(tx, d);
}

int tx_destination_seen(StoreTx *tx, uint64_t id, const char *host, uint16_t port, const char *key) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_DESTINATION_SEEN);

    query_unsigned(&q, 1, id);
    query_text(&q, 2, host);
    query_integer(&q, 3, port);
    query_text(&q, 4, key);
    return query_run(&q);
}

int tx_destination_remove(StoreTx *tx, uint64_t id) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_DESTINATION_REMOVE);
    int r;

    query_unsigned(&q, 1, id);
    r = query_step(&q);
    return r < 0 ? r : r == 0 ? -ENOENT : query_run(&q);
}

/* ---- keys ---- */

typedef struct Secrets {
    uint64_t id;
    char *password, *ssh_key;
} Secrets;

static void secrets_done(Secrets *s) {
    free(s->password);
    free(s->ssh_key);
}

static int next_secrets(StoreTx *tx, uint64_t after, Secrets *ret) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_DESTINATION_NEXT_SECRET);
    int r;

    query_unsigned(&q, 1, after);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    ret->id = (uint64_t) query_column_integer(&q, 0);
    r = query_column_copy(&q, 1, &ret->password);
    return r < 0 ? r : query_column_copy(&q, 2, &ret->ssh_key);
}

static int set_secrets(StoreTx *tx, const Secrets *s) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_DESTINATION_SET_SECRETS);

    query_unsigned(&q, 1, s->id);
    query_text(&q, 2, s->password);
    query_text(&q, 3, s->ssh_key);
    return query_run(&q);
}

static int rotate(char **token, bool *changed, SecretWalk walk, void *userdata) {
    char *renewed = NULL;
    int r = *token ? walk(*token, &renewed, userdata) : 0;

    if (r == 0 && renewed) {
        free(*token);
        *token = renewed;
        *changed = true;
    } else
        free(renewed);
    return r;
}

int tx_rotate_secrets(StoreTx *tx, SecretWalk walk, void *userdata) {
    uint64_t after = 0;
    int r;

    for (;;) {
        _cleanup_(secrets_done) Secrets s = { 0 };
        bool changed = false;

        r = next_secrets(tx, after, &s);
        if (r < 0)
            return r == -ENOENT ? 0 : r;
        after = s.id;
        r = rotate(&s.password, &changed, walk, userdata);
        if (r == 0)
            r = rotate(&s.ssh_key, &changed, walk, userdata);
        if (r == 0 && changed)
            r = set_secrets(tx, &s);
        if (r != 0)
            return r;
    }
}
