/* Table `audit`: who did what, from where, with which result. Appended and read back newest first. Each kind of row is numbered by itself (`k`), so that it
 * can be cut to its share without counting; what is too old goes, whatever its kind, as new rows come. */
#include "store/handles.h"

#include <errno.h>

#define CLOCK_SLACK (24 * 3600) /* rows are in the order of their times but for clocks that were set back */

int store_list_audit(Store *s, const AuditFilter *filter, size_t limit, AuditWalk walk, void *userdata, uint64_t *ret_next) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_AUDIT);
    uint64_t last = 0;
    size_t seen = 0, given = 0;
    int r;

    query_unsigned(&q, 1, filter->before_n > 0 ? filter->before_n : INT64_MAX);
    query_integer(&q, 2, STORE_AUDIT_LOOK_MAX + 1);
    *ret_next = 0;
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
            .kind = (AuditKind) query_column_integer(&q, 8),
            .detail = query_column_text(&q, 9),
        };

        if (!row.actor || !row.address || !row.action || !row.request_id)
            return -EBADMSG;
        if (filter->since != 0 && row.at < filter->since - CLOCK_SLACK)
            return 0;
        if (seen == STORE_AUDIT_LOOK_MAX || given == limit) {
            *ret_next = last;
            return 0;
        }
        seen++;
        last = row.n;
        if (!audit_filter_matches(filter, &row))
            continue;
        given++;
        r = walk(&row, userdata);
        if (r != 0)
            return r;
    }
    return r;
}

static int append(StoreTx *tx, const AuditRow *row, int64_t *ret_k) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_AUDIT_INSERT);
    int r;

    query_integer(&q, 1, row->at);
    query_text(&q, 2, row->actor);
    query_text(&q, 3, row->address);
    query_text(&q, 4, row->action);
    query_text(&q, 5, row->target);
    query_integer(&q, 6, row->result);
    query_text(&q, 7, row->request_id);
    query_integer(&q, 8, row->kind);
    query_text(&q, 9, row->detail);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    *ret_k = query_column_integer(&q, 0);
    return query_run(&q);
}

static int trim_share(StoreTx *tx, AuditKind kind, int64_t up_to) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_AUDIT_TRIM_SHARE);

    query_integer(&q, 1, kind);
    query_integer(&q, 2, up_to);
    return query_run(&q);
}

static int trim_age(StoreTx *tx, int64_t before) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_AUDIT_TRIM_AGE);

    query_integer(&q, 1, before);
    return query_run(&q);
}

int tx_audit(StoreTx *tx, const AuditRow *row, const AuditKeep *keep) {
    int64_t k = 0;
    int r;

    r = append(tx, row, &k);
    if (r >= 0)
        r = trim_share(tx, row->kind, k - (int64_t) keep->rows);
    return r < 0 ? r : trim_age(tx, row->at - keep->seconds);
}
