/* Table `rates`: the limiter's open windows, written whole before an idle exit and read back at
 * the next start. */
#include "store/handles.h"

#include <errno.h>

int store_list_rates(Store *s, RateWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_RATES);
    int r;

    while ((r = query_step(&q)) > 0) {
        const char *key = query_column_text(&q, 0);

        if (!key)
            return -EBADMSG;
        r = walk(key, query_column_integer(&q, 1), (uint32_t) query_column_integer(&q, 2), userdata);
        if (r != 0)
            return r;
    }
    return r;
}

int tx_rates_replace_begin(StoreTx *tx) {
    tx->rates = 0;
    return connection_run(tx->connection, SQL_RATES_CLEAR);
}

int tx_rate_put(StoreTx *tx, const char *key, int64_t opened_utc_ms, uint32_t calls) {
    if (tx->rates >= STORE_RATES_MAX)
        return -E2BIG;
    _cleanup_query_ Query q = query_start(tx->connection, SQL_RATE_PUT);
    query_text(&q, 1, key);
    query_integer(&q, 2, opened_utc_ms);
    query_integer(&q, 3, calls);
    int r = query_run(&q);
    if (r >= 0)
        tx->rates++;
    return r;
}
