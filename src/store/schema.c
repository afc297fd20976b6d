/* The tables of the state database, as a list of migrations: user_version says how many of them a
 * file has seen.
 *
 * What must hold whatever a statement does stands here, not in C: an id is unique among living
 * rows, a life is never used twice (rows are never deleted), events only ever grow and count 1, 2, …
 * within a life. States are stored by their wire names: a file outlives the order of an enum. */
#include "store/schema.h"

#include "basic/log.h"

#include <errno.h>
#include <stdio.h>

#define APPLICATION_ID 0x544d5046 /* "TMPF": what file(1) sees, and what keeps us from another program's database */

const char *const schema_migrations[] = {
    /* 0 → 1 */
    "CREATE TABLE accounts ("
    "  name TEXT PRIMARY KEY,"
    "  email TEXT NOT NULL UNIQUE,"
    "  hash TEXT,"  /* Argon2id, or NULL: not there now */
    "  token TEXT," /* Fernet token of the password, or NULL */
    "  is_foreign INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE requests ("
    "  life INTEGER PRIMARY KEY,"
    "  run INTEGER NOT NULL DEFAULT 0,"
    "  state TEXT NOT NULL CHECK (state IN ('recibido','preparando','traslado','listo','bloqueado','expirado','error','eliminado')),"
    "  id TEXT NOT NULL,"
    "  email TEXT NOT NULL,"
    "  account TEXT REFERENCES accounts (name),"
    "  grupo TEXT,"
    "  ruta TEXT NOT NULL,"
    "  message TEXT,"
    "  vigencia INTEGER NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  ready INTEGER NOT NULL DEFAULT 0,"
    "  expires INTEGER NOT NULL DEFAULT 0,"
    "  retry_at INTEGER NOT NULL DEFAULT 0,"
    "  copied INTEGER NOT NULL DEFAULT 0,"
    "  sized INTEGER NOT NULL DEFAULT 0,"
    "  bytes INTEGER NOT NULL DEFAULT 0,"
    "  files INTEGER NOT NULL DEFAULT 0,"
    "  token TEXT,"
    /* sums over `downloads`, so that reading one request is one look-up */
    "  download_count INTEGER NOT NULL DEFAULT 0,"
    "  download_last INTEGER NOT NULL DEFAULT 0,"
    "  download_bytes INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE UNIQUE INDEX requests_id ON requests (id) WHERE state <> 'eliminado';"
    "CREATE INDEX requests_alive ON requests (life) WHERE state <> 'eliminado';"
    "CREATE INDEX requests_state ON requests (state, life);"
    "CREATE INDEX requests_email ON requests (email, life) WHERE state <> 'eliminado';"
    "CREATE INDEX requests_account ON requests (account, life) WHERE account IS NOT NULL;"
    "CREATE INDEX requests_due ON requests (expires, life) WHERE state IN ('listo','bloqueado');"
    "CREATE UNIQUE INDEX requests_token ON requests (token) WHERE token IS NOT NULL;"
    "CREATE TRIGGER requests_stay BEFORE DELETE ON requests"
    "  BEGIN SELECT RAISE(ABORT, 'requests stay for the audit'); END;"

    "CREATE TABLE events ("
    "  life INTEGER NOT NULL REFERENCES requests (life),"
    "  n INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  state TEXT NOT NULL,"
    "  actor TEXT NOT NULL,"
    "  message TEXT,"
    "  request_id TEXT,"
    "  PRIMARY KEY (life, n)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER events_in_order BEFORE INSERT ON events"
    "  WHEN NEW.n <> 1 + coalesce((SELECT n FROM events WHERE life = NEW.life ORDER BY n DESC LIMIT 1), 0)"
    "  BEGIN SELECT RAISE(ABORT, 'events count from 1 without gaps'); END;"
    "CREATE TRIGGER events_stay_as_written BEFORE UPDATE ON events"
    "  BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;"
    "CREATE TRIGGER events_stay BEFORE DELETE ON events"
    "  BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;"

    "CREATE TABLE tasks ("
    "  life INTEGER NOT NULL REFERENCES requests (life),"
    "  kind TEXT NOT NULL CHECK (kind IN ('purge','revoke')),"
    "  tries INTEGER NOT NULL,"
    "  not_before INTEGER NOT NULL,"
    "  PRIMARY KEY (life, kind)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX tasks_not_before ON tasks (not_before);"

    "CREATE TABLE downloads ("
    "  life INTEGER NOT NULL REFERENCES requests (life),"
    "  address TEXT NOT NULL,"
    "  day INTEGER NOT NULL," /* days since 1970, UTC */
    "  bytes INTEGER NOT NULL,"
    "  files INTEGER NOT NULL,"
    "  last INTEGER NOT NULL,"
    "  PRIMARY KEY (life, address, day)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE rates ("
    "  key TEXT PRIMARY KEY,"
    "  opened INTEGER NOT NULL," /* UTC milliseconds */
    "  calls INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE notes ("
    "  key TEXT PRIMARY KEY,"
    "  value TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;",

    /* 1 → 2: drop folders, and their removal as a task. A CHECK can't be altered: the table is made anew. */
    "ALTER TABLE accounts ADD COLUMN drop_bytes INTEGER NOT NULL DEFAULT 0 CHECK (drop_bytes >= 0);" /* 0: none */

    "CREATE TABLE tasks_new ("
    "  life INTEGER NOT NULL REFERENCES requests (life),"
    "  kind TEXT NOT NULL CHECK (kind IN ('purge','revoke','drop')),"
    "  tries INTEGER NOT NULL,"
    "  not_before INTEGER NOT NULL,"
    "  PRIMARY KEY (life, kind)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO tasks_new SELECT life, kind, tries, not_before FROM tasks;"
    "DROP TABLE tasks;"
    "ALTER TABLE tasks_new RENAME TO tasks;"
    "CREATE INDEX tasks_not_before ON tasks (not_before);",

    /* 2 → 3: who may call the API, one-time tokens, and the trail of who did what. */
    "CREATE TABLE users ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  name TEXT NOT NULL,"
    "  email TEXT NOT NULL UNIQUE,"
    "  hash TEXT NOT NULL," /* Argon2id */
    "  role TEXT NOT NULL CHECK (role IN ('usuario','operador')),"
    "  is_active INTEGER NOT NULL,"
    "  approved INTEGER NOT NULL," /* was active once: only those that never were make room for others */
    "  generation INTEGER NOT NULL DEFAULT 1,"
    "  created INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX users_waiting ON users (created) WHERE approved = 0;"

    "CREATE TABLE onetime_tokens ("
    "  digest TEXT PRIMARY KEY," /* SHA-256, hex: who reads the file can spend none */
    "  user INTEGER NOT NULL REFERENCES users (id),"
    "  expires INTEGER NOT NULL" /* UTC milliseconds */
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX onetime_tokens_expires ON onetime_tokens (expires);"
    "CREATE INDEX onetime_tokens_user ON onetime_tokens (user);"

    "CREATE TABLE audit ("
    "  n INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  at INTEGER NOT NULL,"
    "  actor TEXT NOT NULL,"
    "  address TEXT NOT NULL,"
    "  action TEXT NOT NULL,"
    "  target TEXT,"
    "  result INTEGER NOT NULL," /* HTTP status */
    "  request_id TEXT NOT NULL"
    ") STRICT;"
    "CREATE TRIGGER audit_stays_as_written BEFORE UPDATE ON audit"
    "  BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;",

    /* 3 → 4: what an account back end outside is still to be told, one row an account; revocations were tasks of a request before. */
    "CREATE TABLE access_tasks ("
    "  account TEXT PRIMARY KEY REFERENCES accounts (name),"
    "  n INTEGER NOT NULL," /* counts the changes that have come together: only the last one's success ends the row */
    "  since INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "INSERT OR IGNORE INTO access_tasks SELECT r.account, 1, t.not_before FROM tasks AS t JOIN requests AS r ON r.life = t.life "
    "  WHERE t.kind = 'revoke' AND r.account IS NOT NULL;"
    "DELETE FROM tasks WHERE kind = 'revoke';",

    /* 4 → 5: where finished requests are pushed to, and each time that one is. Secrets are Fernet tokens. */
    "CREATE TABLE destinations ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT," /* an export names it when it is long gone */
    "  name TEXT NOT NULL UNIQUE,"
    "  type TEXT NOT NULL CHECK (type IN ('ftp','ftps','sftp')),"
    "  host TEXT NOT NULL,"
    "  port INTEGER NOT NULL,"
    "  username TEXT NOT NULL,"
    "  password TEXT,"
    "  ssh_key TEXT,"
    "  path TEXT NOT NULL,"
    "  grupo TEXT,"
    "  is_default INTEGER NOT NULL DEFAULT 0,"
    "  host_key TEXT,"
    "  seen_key TEXT,"
    "  created INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX destinations_grupo ON destinations (grupo, id) WHERE grupo IS NOT NULL;"
    "CREATE UNIQUE INDEX destinations_default ON destinations (is_default) WHERE is_default = 1;"

    "CREATE TABLE exports ("
    "  life INTEGER NOT NULL REFERENCES requests (life),"
    "  n INTEGER NOT NULL,"
    "  destination INTEGER NOT NULL,"
    "  name TEXT NOT NULL," /* the destination's, as it was */
    "  type TEXT NOT NULL,"
    "  automatic INTEGER NOT NULL,"
    "  state TEXT NOT NULL CHECK (state IN ('pendiente','subiendo','listo','error','cancelado')),"
    "  run INTEGER NOT NULL DEFAULT 0,"
    "  token TEXT,"
    "  bytes INTEGER NOT NULL DEFAULT 0,"
    "  files INTEGER NOT NULL DEFAULT 0,"
    "  message TEXT,"
    "  created INTEGER NOT NULL,"
    "  ended INTEGER NOT NULL DEFAULT 0,"
    "  PRIMARY KEY (life, n)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX exports_active ON exports (state, created, life, n) WHERE state IN ('pendiente','subiendo');"
    "CREATE UNIQUE INDEX exports_once ON exports (destination, life) WHERE state IN ('pendiente','subiendo');"
    "CREATE UNIQUE INDEX exports_token ON exports (token) WHERE token IS NOT NULL;"
    "CREATE TRIGGER exports_stay BEFORE DELETE ON exports"
    "  BEGIN SELECT RAISE(ABORT, 'exports stay for the audit'); END;"

    "CREATE TABLE export_lines ("
    "  life INTEGER NOT NULL,"
    "  n INTEGER NOT NULL,"
    "  line INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  text TEXT NOT NULL,"
    "  PRIMARY KEY (life, n, line),"
    "  FOREIGN KEY (life, n) REFERENCES exports (life, n)"
    ") STRICT, WITHOUT ROWID;",

    /* 5 → 6: rows of the trail by kind (model/audit.h, AuditKind), each kind numbered by itself. */
    "ALTER TABLE audit ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE audit ADD COLUMN k INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE audit ADD COLUMN detail TEXT;"
    "DROP TRIGGER audit_stays_as_written;"
    "UPDATE audit SET kind = CASE WHEN result >= 400 THEN 2 WHEN action LIKE 'POST /token/%' OR action IN ('POST /auth/login','POST /auth/logout') THEN 1 ELSE 0 END;"
    "UPDATE audit SET k = s.k FROM (SELECT n, row_number() OVER (PARTITION BY kind ORDER BY n) AS k FROM audit) AS s WHERE s.n = audit.n;"
    "CREATE TRIGGER audit_stays_as_written BEFORE UPDATE ON audit"
    "  BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;"
    "CREATE UNIQUE INDEX audit_by_kind ON audit (kind, k);",

    /* 6 → 7: sums that triggers keep (totals.c). Counters begin with what the rows still tell of the past. */
    "CREATE TABLE totals (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO totals SELECT 'state.' || value, (SELECT count(*) FROM requests WHERE state = value) FROM json_each("
    "  '[\"recibido\",\"preparando\",\"traslado\",\"listo\",\"bloqueado\",\"expirado\",\"error\",\"eliminado\"]');"
    "INSERT INTO totals SELECT 'export.' || value, (SELECT count(*) FROM exports WHERE state = value) FROM json_each("
    "  '[\"pendiente\",\"subiendo\",\"listo\",\"error\",\"cancelado\"]');"
    "INSERT INTO totals SELECT 'received', count(*) FROM requests;"
    "INSERT INTO totals SELECT 'transfers.listo', count(*) FROM requests WHERE ready > 0;"
    "INSERT INTO totals SELECT 'transfers.error', count(*) FROM requests WHERE state = 'error';"
    "INSERT INTO totals SELECT 'copied.bytes', coalesce(sum(bytes), 0) FROM requests WHERE ready > 0;"
    "INSERT INTO totals SELECT 'copied.files', coalesce(sum(files), 0) FROM requests WHERE ready > 0;"
    "INSERT INTO totals SELECT 'downloaded.bytes', coalesce(sum(download_bytes), 0) FROM requests;"
    "INSERT INTO totals SELECT 'exports.' || state, count(*) FROM exports WHERE state IN ('listo','error') GROUP BY state;"
    "INSERT OR IGNORE INTO totals VALUES ('exports.listo', 0), ('exports.error', 0);"
    "INSERT INTO totals SELECT 'uploaded.bytes', coalesce(sum(bytes), 0) FROM exports WHERE state = 'listo';"
    "INSERT INTO totals SELECT 'tasks', count(*) FROM tasks;"
    "INSERT INTO totals SELECT 'access_tasks', count(*) FROM access_tasks;"
    "CREATE TRIGGER requests_counted_new AFTER INSERT ON requests BEGIN"
    "  UPDATE totals SET value = value + 1 WHERE key IN ('state.' || NEW.state, 'received'); END;"
    "CREATE TRIGGER requests_counted AFTER UPDATE OF state ON requests WHEN OLD.state <> NEW.state BEGIN"
    "  UPDATE totals SET value = value - 1 WHERE key = 'state.' || OLD.state;"
    "  UPDATE totals SET value = value + 1 WHERE key = 'state.' || NEW.state; END;"
    "CREATE TRIGGER transfers_counted AFTER UPDATE OF state ON requests"
    "  WHEN OLD.state IN ('recibido','preparando','traslado') AND NEW.state IN ('listo','error') BEGIN"
    "  UPDATE totals SET value = value + 1 WHERE key = 'transfers.' || NEW.state;"
    "  UPDATE totals SET value = value + NEW.bytes WHERE key = 'copied.bytes' AND NEW.state = 'listo';"
    "  UPDATE totals SET value = value + NEW.files WHERE key = 'copied.files' AND NEW.state = 'listo'; END;"
    "CREATE TRIGGER downloads_counted AFTER UPDATE OF download_bytes ON requests WHEN NEW.download_bytes <> OLD.download_bytes BEGIN"
    "  UPDATE totals SET value = value + NEW.download_bytes - OLD.download_bytes WHERE key = 'downloaded.bytes'; END;"
    "CREATE TRIGGER exports_counted_new AFTER INSERT ON exports BEGIN"
    "  UPDATE totals SET value = value + 1 WHERE key = 'export.' || NEW.state; END;"
    "CREATE TRIGGER exports_counted AFTER UPDATE OF state ON exports WHEN OLD.state <> NEW.state BEGIN"
    "  UPDATE totals SET value = value - 1 WHERE key = 'export.' || OLD.state;"
    "  UPDATE totals SET value = value + 1 WHERE key IN ('export.' || NEW.state, 'exports.' || NEW.state);"
    "  UPDATE totals SET value = value + NEW.bytes WHERE key = 'uploaded.bytes' AND NEW.state = 'listo'; END;"
    "CREATE TRIGGER tasks_counted_new AFTER INSERT ON tasks BEGIN UPDATE totals SET value = value + 1 WHERE key = 'tasks'; END;"
    "CREATE TRIGGER tasks_counted_gone AFTER DELETE ON tasks BEGIN UPDATE totals SET value = value - 1 WHERE key = 'tasks'; END;"
    "CREATE TRIGGER access_tasks_counted_new AFTER INSERT ON access_tasks BEGIN UPDATE totals SET value = value + 1 WHERE key = 'access_tasks'; END;"
    "CREATE TRIGGER access_tasks_counted_gone AFTER DELETE ON access_tasks BEGIN UPDATE totals SET value = value - 1 WHERE key = 'access_tasks'; END;",

    /* 7 → 8: a domain is found whatever its capitals. */
    "DROP INDEX destinations_grupo; CREATE INDEX destinations_grupo ON destinations (grupo COLLATE NOCASE, id) WHERE grupo IS NOT NULL;",
};

const size_t schema_version = ELEMENTS(schema_migrations);

static int read_integer(Connection *c, const char *sql, int64_t *ret) {
    sqlite3_stmt *statement = NULL;
    int code;

    code = sqlite3_prepare_v2(c->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            *ret = sqlite3_column_int64(statement, 0);
    }
    (void) sqlite3_finalize(statement);
    return connection_errno(c->db, code, sql);
}

/* An empty file is ours to fill; anything else must say that it is ours. */
static int check_owner(Connection *c) {
    int64_t application = 0, tables = 0;
    int r;

    r = read_integer(c, "PRAGMA application_id", &application);
    if (r >= 0)
        r = read_integer(c, "SELECT count(*) FROM sqlite_schema", &tables);
    if (r < 0)
        return r;
    if (application != APPLICATION_ID && (application != 0 || tables > 0)) {
        log_debug("The database has application_id %#llx: not ours", (unsigned long long) application);
        return -EBADMSG;
    }
    return 0;
}

static int step(Connection *c, const char *sql, size_t to) {
    char pragmas[96];
    int r;

    (void) snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id=%d; PRAGMA user_version=%zu; COMMIT", APPLICATION_ID, to);
    r = connection_execute(c, "BEGIN IMMEDIATE");
    if (r < 0)
        return r;
    r = connection_execute(c, sql);
    if (r >= 0)
        r = connection_execute(c, pragmas);
    if (r < 0 && !sqlite3_get_autocommit(c->db))
        (void) sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

int schema_migrate(Connection *c, const char *const *migrations, size_t version) {
    int64_t have = 0;
    int r;

    r = check_owner(c);
    if (r >= 0)
        r = read_integer(c, "PRAGMA user_version", &have);
    if (r < 0)
        return r;
    if (have < 0 || (uint64_t) have > version) {
        log_debug("The database has version %lld, this program knows %zu", (long long) have, version);
        return -ENOTSUP;
    }
    /* After the checks: another program's file is left as it is. */
    r = connection_execute(c, "PRAGMA journal_mode=WAL");
    for (size_t i = (size_t) have; r >= 0 && i < version; i++)
        r = step(c, migrations[i], i + 1);
    return r;
}
