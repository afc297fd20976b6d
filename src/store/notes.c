/* Table `notes`: single lines that tempoftpd keeps for itself over restarts, such as what it knows of the clock. */
#include "store/handles.h"

#include <errno.h>
#include <string.h>

int store_note(Store *s, const char *key, char **ret_value) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_NOTE);

    query_text(&q, 1, key);
    int r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    const char *value = query_column_text(&q, 0);
    char *copy = value ? strdup(value) : NULL;
    if (!copy)
        return -ENOMEM;
    *ret_value = copy;
    return 0;
}

int tx_note_put(StoreTx *tx, const char *key, const char *value) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_NOTE_PUT);

    query_text(&q, 1, key);
    query_text(&q, 2, value);
    return query_run(&q);
}
