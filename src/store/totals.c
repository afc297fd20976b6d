/* Table `totals`: sums over the other tables, kept by triggers (schema.c) in the transaction of each change, so that nobody has to count rows to tell them and no kill
 * can make them wrong. What never shrinks is a counter for ever; what follows a column is a gauge. */
#include "store/handles.h"

#include "basic/strings.h"

#include <errno.h>

#define STATE_PREFIX "state."
#define EXPORT_PREFIX "export."

/* Those that stand for themselves. */
static const struct {
    const char *key;
    size_t offset;
} plain[] = {
    { "received", offsetof(StoreTotals, received) },
    { "transfers.listo", offsetof(StoreTotals, transfers_done) },
    { "transfers.error", offsetof(StoreTotals, transfers_failed) },
    { "copied.bytes", offsetof(StoreTotals, copied_bytes) },
    { "copied.files", offsetof(StoreTotals, copied_files) },
    { "downloaded.bytes", offsetof(StoreTotals, downloaded_bytes) },
    { "uploaded.bytes", offsetof(StoreTotals, uploaded_bytes) },
    { "exports.listo", offsetof(StoreTotals, exports_done) },
    { "exports.error", offsetof(StoreTotals, exports_failed) },
    { "tasks", offsetof(StoreTotals, tasks) },
    { "access_tasks", offsetof(StoreTotals, access_tasks) },
};

/* A key of a newer version is passed over. */
static void take(StoreTotals *t, const char *key, uint64_t value) {
    ExportState export_state;
    State state;

    if (has_prefix(key, STATE_PREFIX) && state_parse(key + strlen(STATE_PREFIX), &state) >= 0)
        t->requests[state] = value;
    else if (has_prefix(key, EXPORT_PREFIX) && export_state_parse(key + strlen(EXPORT_PREFIX), &export_state) >= 0)
        t->exports[export_state] = value;
    else
        for (size_t i = 0; i < ELEMENTS(plain); i++)
            if (streq(key, plain[i].key))
                *(uint64_t *) ((char *) t + plain[i].offset) = value;
}

int store_totals(Store *s, StoreTotals *ret) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_TOTALS);
    StoreTotals t = { 0 };
    int r;

    while ((r = query_step(&q)) > 0) {
        const char *key = query_column_text(&q, 0);
        int64_t value = query_column_integer(&q, 1);

        if (!key)
            return -EBADMSG;
        take(&t, key, value > 0 ? (uint64_t) value : 0);
    }
    if (r >= 0)
        *ret = t;
    return r;
}

int store_count(Store *s, State state, uint64_t *ret) {
    StoreTotals t;
    uint64_t all = 0;

    int r = store_totals(s, &t);
    if (r < 0)
        return r;
    for (State i = 0; i < STATE_MAX; i++)
        all += i == STATE_ELIMINADO ? 0 : t.requests[i];
    *ret = state == STATE_MAX ? all : t.requests[state];
    return 0;
}
