/* Table `onetime_tokens`: digests of tokens that may be spent once, until they expire. The tokens themselves are never here. */
#include "store/handles.h"

#include <errno.h>

static int forget_old(StoreTx *tx, int64_t now_ms) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ONETIME_FORGET_OLD);

    query_integer(&q, 1, now_ms);
    return query_run(&q);
}

static int check_quota(StoreTx *tx, uint64_t user) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ONETIME_COUNT);
    int r;

    query_unsigned(&q, 1, user);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    return query_column_integer(&q, 0) >= STORE_ONETIME_PER_USER_MAX ? -EDQUOT : 0;
}

int tx_onetime_put(StoreTx *tx, const char *digest, uint64_t user, int64_t now_ms, int64_t expires_ms) {
    int r;

    r = forget_old(tx, now_ms);
    if (r >= 0)
        r = check_quota(tx, user);
    if (r < 0)
        return r;
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ONETIME_INSERT);
    query_text(&q, 1, digest);
    query_unsigned(&q, 2, user);
    query_integer(&q, 3, expires_ms);
    return query_run(&q);
}

int tx_onetime_spend(StoreTx *tx, const char *digest, int64_t now_ms, uint64_t *ret_user) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ONETIME_SPEND);
    int r;

    query_text(&q, 1, digest);
    query_integer(&q, 2, now_ms);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    *ret_user = (uint64_t) query_column_integer(&q, 0);
    return query_run(&q);
}

int tx_onetime_forget(StoreTx *tx, uint64_t user) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ONETIME_FORGET_USER);

    query_unsigned(&q, 1, user);
    return query_run(&q);
}
