/* Table `notes`: single lines that tempoftpd keeps for itself over restarts, such as what it
 * knows of the clock. */
#include "store/handles.h"

#include <errno.h>

static int note_read(Connection *c, const char *key, char **ret_value) {
    _cleanup_query_ Query q = query_start(c, SQL_NOTE);
    int r;

    query_text(&q, 1, key);
    r = query_step(&q);
    return r < 0 ? r : r == 0 ? -ENOENT : query_column_copy(&q, 0, ret_value);
}

int store_note(Store *s, const char *key, char **ret_value) {
    return note_read(s->reader, key, ret_value);
}

int tx_note(StoreTx *tx, const char *key, char **ret_value) {
    return note_read(tx->connection, key, ret_value);
}

int tx_note_put(StoreTx *tx, const char *key, const char *value) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_NOTE_PUT);

    query_text(&q, 1, key);
    query_text(&q, 2, value);
    return query_run(&q);
}
