/* A connection: opened with the pragmas that the store's promises rest on, statements prepared
 * once, SQLite's codes turned into errno.
 *
 * The reader holds one read transaction over many statements: the lock calls of a read of its
 * own would cost more than the look-up. That is right because this process is the only writer
 * (store.c holds a lock on the file): the snapshot can only age by a commit of our own writer,
 * and the writer counts those (News). Knows nothing of requests, accounts or threads. */
#include "store/connection.h"

#include "basic/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>



/* synchronous=FULL: a commit is on disk before it is reported. secure_delete: a forgotten token
 * leaves no copy in free pages. */
static const char writer_pragmas[] = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY;"
                                     "PRAGMA cache_size=-32768; PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864;"
                                     "PRAGMA recursive_triggers=ON; PRAGMA trusted_schema=OFF;";
/* mmap: after each commit the page cache starts anew; mapped pages cost no read then. */
static const char reader_pragmas[] = "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192; PRAGMA mmap_size=1073741824;"
                                     "PRAGMA trusted_schema=OFF;";

/* First match wins: extended codes stand before the primary code they belong to. */
static const struct {
    int code, error;
} code_to_errno[] = {
    { SQLITE_CONSTRAINT_UNIQUE, -EEXIST },
    { SQLITE_CONSTRAINT_PRIMARYKEY, -EEXIST },
    { SQLITE_CONSTRAINT, -EINVAL },
    { SQLITE_FULL, -ENOSPC },
    { SQLITE_IOERR_SHMSIZE, -ENOSPC }, /* the log's index could not grow */
    { SQLITE_IOERR_NOMEM, -ENOMEM },
    { SQLITE_BUSY, -EBUSY },
    { SQLITE_LOCKED, -EBUSY },
    { SQLITE_NOMEM, -ENOMEM },
    { SQLITE_CORRUPT, -EBADMSG },
    { SQLITE_NOTADB, -EBADMSG },
    { SQLITE_READONLY, -EROFS },
    { SQLITE_PERM, -EACCES },
    { SQLITE_AUTH, -EACCES },
    { SQLITE_CANTOPEN, -EIO },
    { SQLITE_INTERRUPT, -ECANCELED },
    { SQLITE_TOOBIG, -E2BIG },
};

static int file_errno(sqlite3 *db, int which) {
    sqlite3_file *file = NULL;
    int e = 0;

    (void) sqlite3_file_control(db, "main", which, &file);
    if (file && file->pMethods)
        (void) file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &e);
    return e;
}

/* SQLite says FULL only for ENOSPC; a file-size limit or a quota is the same thing to us.
 * sqlite3_system_errno() would tell of a later call. */
static int write_errno(sqlite3 *db) {
    static const int which[] = { SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER }; /* the latter is the log in WAL mode */

    for (size_t i = 0; db && i < ELEMENTS(which); i++) {
        int e = file_errno(db, which[i]);

        if (e == ENOSPC || e == EDQUOT || e == EFBIG)
            return -ENOSPC;
    }
    return -EIO;
}

int connection_errno(sqlite3 *db, int code, const char *what) {
    int primary = code & 0xff;

    if (primary == SQLITE_OK || primary == SQLITE_ROW || primary == SQLITE_DONE)
        return 0;
    log_debug("SQLite: %s: %s (%d)", what, db ? sqlite3_errmsg(db) : sqlite3_errstr(code), code);
    if (code == SQLITE_IOERR_WRITE)
        return write_errno(db);
    for (size_t i = 0; i < ELEMENTS(code_to_errno); i++)
        if (code_to_errno[i].code == code || code_to_errno[i].code == primary)
            return code_to_errno[i].error;
    return -EIO;
}

int connection_open(const char *path, ConnectionRole role, const News *news, Connection **ret) {
    _cleanup_(connection_freep) Connection *c = NULL;
    int code, r;

    assert((role == CONNECTION_READER) == (news != NULL));
    c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->news = news;
    /* One thread each: SQLite's own mutexes would be paid for nothing. */
    code = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code != SQLITE_OK)
        return connection_errno(c->db, code, "open");
    (void) sqlite3_busy_timeout(c->db, CONNECTION_BUSY_TIMEOUT_MS);
    (void) sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    r = connection_execute(c, role == CONNECTION_WRITER ? writer_pragmas : reader_pragmas);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(c);
    return 0;
}

Connection *connection_free(Connection *c) {
    if (!c)
        return NULL;
    for (size_t i = 0; i < STATEMENT_MAX; i++)
        (void) sqlite3_finalize(c->prepared[i]);
    (void) sqlite3_close(c->db); /* an open transaction ends with it */
    free(c);
    return NULL;
}

int connection_execute(Connection *c, const char *sql) {
    return connection_errno(c->db, sqlite3_exec(c->db, sql, NULL, NULL, NULL), "execute");
}

int connection_run(Connection *c, StatementId id) {
    _cleanup_query_ Query q = query_start(c, id);

    return query_run(&q);
}

/* Straight on the statement: query_start() itself needs the transaction. */
static int run_bare(Connection *c, StatementId id) {
    int code;

    if (!c->prepared[id]) {
        code = sqlite3_prepare_v3(c->db, statement_text(id), -1, SQLITE_PREPARE_PERSISTENT, &c->prepared[id], NULL);
        if (code != SQLITE_OK)
            return connection_errno(c->db, code, "prepare");
    }
    code = sqlite3_step(c->prepared[id]);
    (void) sqlite3_reset(c->prepared[id]);
    return connection_errno(c->db, code, statement_text(id));
}

void connection_release_snapshot(Connection *c) {
    if (c->running == 0 && !sqlite3_get_autocommit(c->db))
        (void) run_bare(c, SQL_READ_END);
}

static int hold_snapshot(Connection *c) {
    uint64_t commits = atomic_load_explicit(&c->news->commits, memory_order_acquire);

    if (c->running > 0) /* inside a walk: all of it sees the walk's snapshot */
        return 0;
    if (commits != c->seen)
        connection_release_snapshot(c);
    if (!sqlite3_get_autocommit(c->db))
        return 0;
    c->seen = commits; /* read before the snapshot is taken: it may be newer than we think, never older */
    return run_bare(c, SQL_READ_BEGIN);
}

Query query_start(Connection *c, StatementId id) {
    Query q = { .connection = c };
    int code;

    if (c->news)
        q.error = hold_snapshot(c);
    c->running++;
    if (q.error < 0)
        return q;
    q.spare = c->prepared[id] && sqlite3_stmt_busy(c->prepared[id]);
    if (q.spare || !c->prepared[id]) {
        code = sqlite3_prepare_v3(c->db, statement_text(id), -1, q.spare ? 0 : SQLITE_PREPARE_PERSISTENT, &q.statement, NULL);
        q.error = connection_errno(c->db, code, "prepare");
        if (!q.spare)
            c->prepared[id] = q.statement;
    } else
        q.statement = c->prepared[id];
    return q;
}

void query_done(Query *q) {
    if (!q->connection)
        return;
    if (q->spare)
        (void) sqlite3_finalize(q->statement);
    else if (q->statement) {
        (void) sqlite3_reset(q->statement);
        (void) sqlite3_clear_bindings(q->statement); /* they point into the caller's memory */
    }
    q->connection->running--;
    /* The writer waits for it, or something went wrong: the next read starts afresh. */
    if (q->connection->news && (q->error < 0 || atomic_load_explicit(&q->connection->news->reader_in_the_way, memory_order_acquire)))
        connection_release_snapshot(q->connection);
    q->connection = NULL;
}

static void query_bound(Query *q, int code) {
    q->error = connection_errno(q->connection->db, code, "bind");
}

void query_text(Query *q, int parameter, const char *text) {
    if (q->error >= 0)
        query_bound(q, sqlite3_bind_text(q->statement, parameter, text, -1, SQLITE_STATIC));
}

void query_text_or_null(Query *q, int parameter, const char *text) {
    query_text(q, parameter, text && text[0] ? text : NULL);
}

void query_integer(Query *q, int parameter, int64_t value) {
    if (q->error >= 0)
        query_bound(q, sqlite3_bind_int64(q->statement, parameter, value));
}

void query_unsigned(Query *q, int parameter, uint64_t value) {
    if (q->error >= 0 && value > INT64_MAX)
        q->error = -ERANGE;
    query_integer(q, parameter, (int64_t) value);
}

int query_step(Query *q) {
    int code;

    if (q->error < 0)
        return q->error;
    code = sqlite3_step(q->statement);
    if (code == SQLITE_ROW)
        return 1;
    q->error = connection_errno(q->connection->db, code, sqlite3_sql(q->statement));
    return q->error;
}

int query_run(Query *q) {
    int r = query_step(q);

    assert(r <= 0);
    return r;
}

const char *query_column_text(const Query *q, int column) {
    return (const char *) sqlite3_column_text(q->statement, column);
}

int query_column_copy(const Query *q, int column, char **ret) {
    const char *text = query_column_text(q, column);
    char *copy = NULL;

    if (text) {
        copy = strdup(text);
        if (!copy)
            return -ENOMEM;
    }
    *ret = copy;
    return 0;
}

int query_column_fixed(const Query *q, int column, char *ret, size_t size) {
    const char *text = query_column_text(q, column);
    size_t length = (size_t) sqlite3_column_bytes(q->statement, column);

    if (length >= size)
        return -EBADMSG;
    memcpy(ret, text ? text : "", length);
    ret[length] = '\0';
    return 0;
}
