/* Table `downloads`: what was fetched, one row per life, client address and day; their sums
 * stand in `requests`, where the hot read finds them. */
#include "store/handles.h"

#include <errno.h>

#define DAY_SECONDS 86400

static int add_to_row(Connection *c, StatementId statement, uint64_t life, const char *address, uint64_t bytes, uint64_t files, int64_t last) {
    _cleanup_query_ Query q = query_start(c, statement);
    int r;

    query_unsigned(&q, 1, life);
    query_text(&q, 2, address);
    query_integer(&q, 3, last / DAY_SECONDS);
    query_unsigned(&q, 4, bytes);
    query_unsigned(&q, 5, files);
    query_integer(&q, 6, last);
    r = query_step(&q);
    return r > 0 && query_step(&q) < 0 ? -EIO : r;
}

static int read_sums(Connection *c, uint64_t life, int64_t *ret_rows, uint64_t *ret_bytes) {
    _cleanup_query_ Query q = query_start(c, SQL_DOWNLOAD_COUNT);
    int r;

    query_unsigned(&q, 1, life);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    *ret_rows = query_column_integer(&q, 0);
    *ret_bytes = (uint64_t) query_column_integer(&q, 1);
    return 0;
}

static int add_to_sum(Connection *c, uint64_t life, bool added, uint64_t bytes, int64_t last) {
    _cleanup_query_ Query q = query_start(c, SQL_DOWNLOAD_SUM);

    query_unsigned(&q, 1, life);
    query_integer(&q, 2, added);
    query_unsigned(&q, 3, bytes);
    query_integer(&q, 4, last);
    return query_run(&q);
}

int tx_download_add(StoreTx *tx, uint64_t life, const char *address, uint64_t bytes, uint64_t files, int64_t last) {
    Connection *c = tx->connection;
    bool added = false;
    uint64_t sum;
    int64_t rows;
    int r;

    r = read_sums(c, life, &rows, &sum);
    if (r < 0)
        return r;
    if (bytes > STORE_DOWNLOADED_MAX - sum)
        bytes = STORE_DOWNLOADED_MAX - sum;
    r = add_to_row(c, SQL_DOWNLOAD_ADD, life, address, bytes, files, last);
    if (r == 0 && rows < STORE_DOWNLOADS_MAX) { /* past it a new address counts its bytes only */
        r = add_to_row(c, SQL_DOWNLOAD_INSERT, life, address, bytes, files, last);
        added = true;
    }
    return r < 0 ? r : add_to_sum(c, life, added, bytes, last);
}
