/* One SQLite connection with its prepared statements, and the door where SQLite's codes become errno.
 *
 * A connection belongs to one thread. Inside the room only: nobody else sees sqlite3.h. */
#pragma once

#include "basic/cleanup.h"
#include "store/statements.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CONNECTION_BUSY_TIMEOUT_MS 5000 /* an operator's own sqlite3 may hold the file for a moment */

typedef enum ConnectionRole { CONNECTION_WRITER, CONNECTION_READER } ConnectionRole;

/* What the writer tells the reader. */
typedef struct News {
    atomic_uint_fast64_t commits;   /* so far: a snapshot taken before the last of them is out of date */
    atomic_bool reader_in_the_way; /* the log cannot begin anew while a snapshot is held: hold none between reads for now */
} News;

typedef struct Connection {
    sqlite3 *db;
    sqlite3_stmt *prepared[STATEMENT_MAX]; /* made at first use, kept till the end */
    const News *news; /* reader only: its read transaction is held over many statements, and renewed once `commits` has moved past `seen` */
    uint64_t seen;
    unsigned running; /* queries started and not done; the snapshot stays while one runs */
} Connection;

/* `path` exists (empty is fine) and is absolute. `news`: the writer's (reader only). */
int connection_open(const char *path, ConnectionRole role, const News *news, Connection **ret) _must_use_;
Connection *connection_free(Connection *c);
DEFINE_CLEANUP(Connection, connection_free)

/* SQLite's code as negative errno (0 for OK, ROW and DONE); detail goes to the log at debug. db
 * may be NULL. */
int connection_errno(sqlite3 *db, int code, const char *what);
/* SQL text without results. */
int connection_execute(Connection *c, const char *sql) _must_use_;
/* A statement of the table without parameters or results. */
int connection_run(Connection *c, StatementId id) _must_use_;
/* Reader: lets go of its snapshot; the next read takes a new one. Nothing happens inside a walk. */
void connection_release_snapshot(Connection *c);

/* One use of a statement. Errors stick: bind all, then look at what query_step() says. */
typedef struct Query {
    Connection *connection;
    sqlite3_stmt *statement;
    bool spare; /* the prepared one was in use (a walk's callback asked again): this one is thrown away */
    int error;
} Query;

Query query_start(Connection *c, StatementId id) _must_use_;
void query_done(Query *q);
#define _cleanup_query_ _cleanup_(query_done)
/* Texts must outlive the query; NULL binds NULL. */
void query_text(Query *q, int parameter, const char *text);
/* "" binds NULL: for columns whose empty value means "none". */
void query_text_or_null(Query *q, int parameter, const char *text);
void query_integer(Query *q, int parameter, int64_t value);
/* -ERANGE past INT64_MAX. */
void query_unsigned(Query *q, int parameter, uint64_t value);
/* 1: a row; 0: no more; negative errno. */
int query_step(Query *q) _must_use_;
/* Runs a statement that gives no rows. */
int query_run(Query *q) _must_use_;

/* Column readers. */
const char *query_column_text(const Query *q, int column); /* NULL for NULL; valid until the next step */
int query_column_copy(const Query *q, int column, char **ret) _must_use_; /* heap, NULL for NULL; -ENOMEM */
/* Into a fixed field; NULL becomes "". -EBADMSG when it does not fit: not our writing. */
int query_column_fixed(const Query *q, int column, char *ret, size_t size) _must_use_;
static inline int64_t query_column_integer(const Query *q, int column) {
    return sqlite3_column_int64(q->statement, column);
}
