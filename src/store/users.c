/* Table `users`: who may call the API. Passwords arrive hashed. When a session is still good is told by the generation: it only grows. */
#include "store/handles.h"

#include <errno.h>

enum { COLUMN_USER_ID, COLUMN_USER_NAME, COLUMN_USER_EMAIL, COLUMN_USER_ROLE, COLUMN_USER_ACTIVE, COLUMN_USER_GENERATION, COLUMN_USER_CREATED };

static int user_read(const Query *q, User *ret) {
    User u = {
        .id = (uint64_t) query_column_integer(q, COLUMN_USER_ID),
        .active = query_column_integer(q, COLUMN_USER_ACTIVE) != 0,
        .generation = (uint64_t) query_column_integer(q, COLUMN_USER_GENERATION),
        .created = query_column_integer(q, COLUMN_USER_CREATED),
    };
    const char *role = query_column_text(q, COLUMN_USER_ROLE);
    int r;

    r = query_column_fixed(q, COLUMN_USER_NAME, u.name, sizeof(u.name));
    if (r >= 0)
        r = query_column_fixed(q, COLUMN_USER_EMAIL, u.email, sizeof(u.email));
    if (r < 0 || !role || role_parse(role, &u.role) < 0)
        return r < 0 ? r : -EBADMSG;
    *ret = u;
    return 0;
}

/* The one row of a statement that is bound. */
static int user_get(Query *q, User *ret) {
    int r = query_step(q);

    return r < 0 ? r : r == 0 ? -ENOENT : user_read(q, ret);
}

static int user_by_id(Connection *c, uint64_t id, User *ret) {
    _cleanup_query_ Query q = query_start(c, SQL_USER_BY_ID);

    query_unsigned(&q, 1, id);
    return user_get(&q, ret);
}

int store_user(Store *s, uint64_t id, User *ret) {
    return user_by_id(s->reader, id, ret);
}

int tx_user(StoreTx *tx, uint64_t id, User *ret) {
    return user_by_id(tx->connection, id, ret);
}

int store_user_by_email(Store *s, const char *email, User *ret) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_USER_BY_EMAIL);

    query_text(&q, 1, email);
    return user_get(&q, ret);
}

int store_user_hash(Store *s, uint64_t id, char **ret) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_USER_HASH);
    int r;

    query_unsigned(&q, 1, id);
    r = query_step(&q);
    return r < 0 ? r : r == 0 ? -ENOENT : query_column_copy(&q, 0, ret);
}

int store_list_users(Store *s, uint64_t after_id, size_t limit, UserWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_USERS);
    int r;

    query_unsigned(&q, 1, after_id);
    query_unsigned(&q, 2, limit);
    while ((r = query_step(&q)) > 0) {
        User u;

        r = user_read(&q, &u);
        if (r >= 0)
            r = walk(&u, userdata);
        if (r != 0)
            return r;
    }
    return r;
}

/* ---- inside jobs ---- */

static int count(StoreTx *tx, StatementId statement, uint64_t *ret) {
    _cleanup_query_ Query q = query_start(tx->connection, statement);
    int r = query_step(&q);

    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    *ret = (uint64_t) query_column_integer(&q, 0);
    return 0;
}

static int forget_waiting(StoreTx *tx, int64_t before) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_USERS_FORGET);

    query_integer(&q, 1, before);
    return query_run(&q);
}

static int check_room(StoreTx *tx, const User *u) {
    uint64_t all = 0, waiting = 0;
    int r;

    r = forget_waiting(tx, u->created - STORE_USERS_WAITING_SECONDS);
    if (r >= 0)
        r = count(tx, SQL_USERS_COUNT, &all);
    if (r >= 0 && !u->active)
        r = count(tx, SQL_USERS_WAITING, &waiting);
    if (r < 0)
        return r;
    return all >= STORE_USERS_MAX || waiting >= STORE_USERS_WAITING_MAX ? -EDQUOT : 0;
}

int tx_user_insert(StoreTx *tx, User *u, const char *hash) {
    int r = check_room(tx, u);

    if (r < 0)
        return r;
    _cleanup_query_ Query q = query_start(tx->connection, SQL_USER_INSERT);
    query_text(&q, 1, u->name);
    query_text(&q, 2, u->email);
    query_text(&q, 3, hash);
    query_text(&q, 4, role_name(u->role));
    query_integer(&q, 5, u->active);
    query_integer(&q, 6, u->created);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    u->id = (uint64_t) query_column_integer(&q, 0);
    u->generation = 1;
    return query_run(&q); /* to its end: only then it is done */
}

static int set_hash(StoreTx *tx, uint64_t id, const char *hash) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_USER_SET_HASH);

    query_unsigned(&q, 1, id);
    query_text(&q, 2, hash);
    return query_run(&q);
}

int tx_user_update(StoreTx *tx, const User *u, const char *hash) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_USER_UPDATE);
    int r;

    query_unsigned(&q, 1, u->id);
    query_text(&q, 2, role_name(u->role));
    query_integer(&q, 3, u->active);
    query_unsigned(&q, 4, u->generation);
    r = query_run(&q);
    return r >= 0 && hash ? set_hash(tx, u->id, hash) : r;
}
