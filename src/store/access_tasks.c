/* Table `access_tasks`: accounts whose back end outside this database has not been told their latest change. A row is written in
 * the transaction of the change and goes when the back end has been told; what it is told is none of this file's business. */
#include "store/handles.h"

#include <errno.h>

enum { COLUMN_TASK_ACCOUNT, COLUMN_TASK_N, COLUMN_TASK_SINCE };

static int task_read(const Query *q, AccessTask *ret) {
    int r = query_column_fixed(q, COLUMN_TASK_ACCOUNT, ret->account, sizeof(ret->account));

    ret->n = (uint64_t) query_column_integer(q, COLUMN_TASK_N);
    ret->since = query_column_integer(q, COLUMN_TASK_SINCE);
    return r;
}

int store_list_access_tasks(Store *s, const char *after, size_t limit, AccessTaskWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_ACCESS_TASKS);
    int r;

    query_text(&q, 1, after);
    query_integer(&q, 2, limit > INT64_MAX ? INT64_MAX : (int64_t) limit);
    while ((r = query_step(&q)) > 0) {
        AccessTask t;

        r = task_read(&q, &t);
        if (r >= 0)
            r = walk(&t, userdata);
        if (r != 0)
            return r;
    }
    return r;
}

static int task_get(Connection *c, const char *account, AccessTask *ret) {
    _cleanup_query_ Query q = query_start(c, SQL_ACCESS_TASK);
    int r;

    query_text(&q, 1, account);
    r = query_step(&q);
    return r < 0 ? r : r == 0 ? -ENOENT : task_read(&q, ret);
}

int store_access_task(Store *s, const char *account, AccessTask *ret) {
    return task_get(s->reader, account, ret);
}

int tx_access_task(StoreTx *tx, const char *account, AccessTask *ret) {
    return task_get(tx->connection, account, ret);
}

int store_count_access_tasks(Store *s, uint64_t *ret_count, int64_t *ret_since) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_ACCESS_TASK_COUNT);
    int r = query_step(&q);

    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    *ret_count = (uint64_t) query_column_integer(&q, 0);
    *ret_since = query_column_integer(&q, 1);
    return 0;
}

int tx_access_task_put(StoreTx *tx, const char *account, int64_t now, uint64_t *ret_n) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ACCESS_TASK_PUT);
    uint64_t n;
    int r;

    query_text(&q, 1, account);
    query_integer(&q, 2, now);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    n = (uint64_t) query_column_integer(&q, 0);
    r = query_run(&q); /* to its end: only then it is done */
    if (r >= 0 && ret_n)
        *ret_n = n;
    return r;
}

int tx_access_task_done(StoreTx *tx, const char *account, uint64_t n) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ACCESS_TASK_DONE);

    query_text(&q, 1, account);
    query_unsigned(&q, 2, n);
    return query_run(&q);
}
