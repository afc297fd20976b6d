/* Table `audit`: who did what, from where, with which result. Appended and read back newest first; what is older than its days, or more than its number,
 * goes as new rows come. */
#include "store/handles.h"

#include <errno.h>

int store_list_audit(Store *s, uint64_t before_n, size_t limit, AuditWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_AUDIT);
    int r;

    query_unsigned(&q, 1, before_n > 0 ? before_n : INT64_MAX);
    query_unsigned(&q, 2, limit);
    while ((r = query_step(&q)) > 0) {
        AuditRow row = {
            .n = (uint64_t) query_column_integer(&q, 0),
            .at = query_column_integer(&q, 1),
            .actor = query_column_text(&q, 2),
            .address = query_column_text(&q, 3),
            .action = query_column_text(&q, 4),
            .target = query_column_text(&q, 5),
            .result = (int) query_column_integer(&q, 6),
            .request_id = query_column_text(&q, 7),
        };

        r = walk(&row, userdata);
        if (r != 0)
            return r;
    }
    return r;
}

static int trim(StoreTx *tx, StatementId statement, int64_t limit) {
    _cleanup_query_ Query q = query_start(tx->connection, statement);

    query_integer(&q, 1, limit);
    return query_run(&q);
}

static int append(StoreTx *tx, const AuditRow *row, int64_t *ret_n) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_AUDIT_INSERT);
    int r;

    query_integer(&q, 1, row->at);
    query_text(&q, 2, row->actor);
    query_text(&q, 3, row->address);
    query_text(&q, 4, row->action);
    query_text(&q, 5, row->target);
    query_integer(&q, 6, row->result);
    query_text(&q, 7, row->request_id);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    *ret_n = query_column_integer(&q, 0);
    return query_run(&q);
}

int tx_audit(StoreTx *tx, const AuditRow *row) {
    int64_t n = 0;
    int r;

    r = append(tx, row, &n);
    if (r >= 0)
        r = trim(tx, SQL_AUDIT_TRIM_COUNT, n - STORE_AUDIT_MAX);
    return r < 0 ? r : trim(tx, SQL_AUDIT_TRIM_AGE, row->at - STORE_AUDIT_SECONDS);
}
