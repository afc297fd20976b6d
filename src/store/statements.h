/* Every statement of the store, by name. The texts stand in statements.c, and nowhere else. */
#pragma once

#include <stdbool.h>

typedef enum StatementId {
    /* transactions */
    SQL_READ_BEGIN, SQL_READ_END,
    SQL_GROUP_BEGIN, SQL_GROUP_COMMIT, SQL_GROUP_ROLLBACK,
    SQL_JOB_BEGIN, SQL_JOB_KEEP, SQL_JOB_UNDO,
    SQL_PROBE,
    /* requests */
    SQL_REQUEST_BY_ID, SQL_REQUEST_BY_LIFE, SQL_REQUEST_BY_TOKEN, SQL_REQUEST_VIEW,
    SQL_REQUESTS_ALL, SQL_REQUESTS_IN_STATE, SQL_REQUESTS_OF_ACCOUNT, SQL_REQUESTS_OF_EMAIL, SQL_REQUESTS_DUE, SQL_REQUESTS_NEXT_EXPIRIES,
    SQL_REQUEST_COUNT_ALL, SQL_REQUEST_COUNT_STATE,
    SQL_REQUEST_INSERT, SQL_REQUEST_STATE, SQL_REQUEST_UPDATE,
    /* accounts */
    SQL_ACCOUNT_BY_NAME, SQL_ACCOUNT_BY_EMAIL, SQL_ACCOUNTS, SQL_ACCOUNT_ACCESS, SQL_ACCOUNT_USES,
    SQL_ACCOUNT_PUT, SQL_ACCOUNT_CLEAR, SQL_ACCOUNT_NEXT_TOKEN, SQL_ACCOUNT_SET_TOKEN,
    /* events */
    SQL_EVENTS, SQL_EVENT_LAST, SQL_EVENT_INSERT,
    /* tasks */
    SQL_TASKS, SQL_TASK_PUT, SQL_TASK_REMOVE,
    /* downloads */
    SQL_DOWNLOAD_ADD, SQL_DOWNLOAD_INSERT, SQL_DOWNLOAD_COUNT, SQL_DOWNLOAD_SUM,
    /* rates */
    SQL_RATES, SQL_RATES_CLEAR, SQL_RATE_PUT,
    /* notes */
    SQL_NOTE, SQL_NOTE_PUT,
    STATEMENT_MAX,
} StatementId;

const char *statement_text(StatementId id);
/* A full scan of its table is what it is for (small tables read whole). The unit test asks the
 * query planner about all others. */
bool statement_may_scan(StatementId id);

/* What REQUEST_COLUMNS selects, in its order. */
typedef enum RequestColumn {
    COLUMN_LIFE, COLUMN_RUN, COLUMN_STATE, COLUMN_ID, COLUMN_EMAIL, COLUMN_ACCOUNT, COLUMN_GROUP, COLUMN_RUTA, COLUMN_MESSAGE, COLUMN_VIGENCIA,
    COLUMN_CREATED, COLUMN_READY, COLUMN_EXPIRES, COLUMN_RETRY_AT, COLUMN_COPIED, COLUMN_SIZED, COLUMN_BYTES, COLUMN_FILES, COLUMN_TOKEN,
    REQUEST_COLUMN_MAX,
} RequestColumn;
