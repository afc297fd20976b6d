/* Every SQL statement of tempoftp, one table.
 *
 * States stand here by their wire names. Where the planner has a choice the index is named
 * (INDEXED BY): a statement that would fall back to a scan fails in the tests instead of getting
 * slow in the third year. Conditions repeat the WHERE of their partial index word for word, so
 * that it applies. */
#include "store/statements.h"

#include "basic/cleanup.h"

#include <assert.h>

#define REQUEST_COLUMNS                                                                                                              \
    "r.life, r.run, r.state, r.id, r.email, r.account, r.grupo, r.ruta, r.message, r.vigencia, r.created, r.ready, r.expires, "      \
    "r.retry_at, r.copied, r.sized, r.bytes, r.files, r.token"
#define SELECT_REQUEST "SELECT " REQUEST_COLUMNS " FROM requests AS r "
#define USER_COLUMNS "id, name, email, role, is_active, generation, created"
#define DESTINATION_COLUMNS "id, name, type, host, port, username, password, ssh_key, path, grupo, is_default, host_key, seen_key, created"
#define EXPORT_COLUMNS                                                                                                               \
    "e.life, e.n, e.destination, e.name, e.type, e.automatic, e.state, e.run, e.token, e.bytes, e.files, e.message, e.created, "     \
    "e.ended, r.id"
#define SELECT_EXPORT "SELECT " EXPORT_COLUMNS " FROM exports AS e "
#define EXPORT_REQUEST "CROSS JOIN requests AS r ON r.life = e.life "
#define ACCOUNT_COLUMNS "name, email, hash, token, is_foreign, created"

static const struct {
    const char *text;
    bool may_scan;
} statements[STATEMENT_MAX] = {
    [SQL_READ_BEGIN] = { .text = "BEGIN" },
    [SQL_READ_END] = { .text = "COMMIT" },
    [SQL_GROUP_BEGIN] = { .text = "BEGIN IMMEDIATE" },
    [SQL_GROUP_COMMIT] = { .text = "COMMIT" },
    [SQL_GROUP_ROLLBACK] = { .text = "ROLLBACK" },
    [SQL_JOB_BEGIN] = { .text = "SAVEPOINT job" },
    [SQL_JOB_KEEP] = { .text = "RELEASE job" },
    [SQL_JOB_UNDO] = { .text = "ROLLBACK TO job" },
    [SQL_PROBE] = { .text = "SELECT 1 FROM sqlite_schema LIMIT 1", .may_scan = true },

    [SQL_REQUEST_BY_ID] = { .text = SELECT_REQUEST "WHERE r.id = ?1 AND r.state <> 'eliminado'" },
    [SQL_REQUEST_BY_LIFE] = { .text = SELECT_REQUEST "WHERE r.life = ?1" },
    [SQL_REQUEST_BY_TOKEN] = { .text = SELECT_REQUEST "WHERE r.token = ?1 AND r.state IN ('preparando','traslado')" },
    [SQL_REQUEST_VIEW] = { .text = "SELECT " REQUEST_COLUMNS ", a.token, r.download_count, r.download_last, r.download_bytes, a.drop_bytes "
                                   "FROM requests AS r LEFT JOIN accounts AS a ON a.name = r.account "
                                   "WHERE r.id = ?1 AND r.state <> 'eliminado'" },
    [SQL_REQUESTS_ALL] = { .text = "SELECT " REQUEST_COLUMNS " FROM requests AS r INDEXED BY requests_alive "
                                   "WHERE r.life > ?1 AND r.state <> 'eliminado' ORDER BY r.life LIMIT ?2" },
    [SQL_REQUESTS_IN_STATE] = { .text = SELECT_REQUEST "INDEXED BY requests_state WHERE r.state = ?3 AND r.life > ?1 ORDER BY r.life LIMIT ?2" },
    [SQL_REQUESTS_OF_ACCOUNT] = { .text = SELECT_REQUEST "WHERE r.account = ?1 AND r.state NOT IN ('eliminado','expirado','error') "
                                                         "ORDER BY r.life" },
    [SQL_REQUESTS_OF_EMAIL] = { .text = SELECT_REQUEST "WHERE r.email = ?1 AND r.state <> 'eliminado' ORDER BY r.life" },
    [SQL_REQUESTS_DUE] = { .text = SELECT_REQUEST "INDEXED BY requests_due WHERE r.state IN ('listo','bloqueado') AND r.expires <= ?1 "
                                                  "ORDER BY r.expires, r.life LIMIT ?2" },
    [SQL_REQUESTS_NEXT_EXPIRIES] = { .text = SELECT_REQUEST "INDEXED BY requests_due WHERE r.state IN ('listo','bloqueado') "
                                                            "ORDER BY r.expires, r.life LIMIT ?1", .may_scan = true },
    [SQL_REQUEST_INSERT] = { .text = "INSERT INTO requests (state, id, email, grupo, ruta, vigencia, created) "
                                     "VALUES ('recibido', ?1, ?2, ?3, ?4, ?5, ?6)" },
    [SQL_REQUEST_STATE] = { .text = "SELECT state FROM requests WHERE life = ?1" },
    [SQL_REQUEST_UPDATE] = { .text = "UPDATE requests SET state = ?2, run = ?3, account = ?4, message = ?5, vigencia = ?6, ready = ?7, expires = ?8, "
                                     "retry_at = ?9, copied = ?10, sized = ?11, bytes = ?12, files = ?13, token = ?14 WHERE life = ?1" },

    [SQL_ACCOUNT_BY_NAME] = { .text = "SELECT " ACCOUNT_COLUMNS " FROM accounts WHERE name = ?1" },
    [SQL_ACCOUNT_BY_EMAIL] = { .text = "SELECT " ACCOUNT_COLUMNS " FROM accounts WHERE email = ?1" },
    [SQL_ACCOUNTS] = { .text = "SELECT " ACCOUNT_COLUMNS " FROM accounts ORDER BY name", .may_scan = true },
    [SQL_ACCOUNT_ACCESS] = { .text = "SELECT coalesce(max(CASE state WHEN 'listo' THEN expires END), 0), coalesce(max(state = 'bloqueado'), 0) "
                                     "FROM requests WHERE account = ?1 AND state IN ('listo','bloqueado')" },
    [SQL_ACCOUNT_USES] = { .text = "SELECT count(*) FROM requests WHERE account = ?1 AND state IN ('listo','bloqueado')" },
    [SQL_ACCOUNT_WANTED] = { .text = "SELECT coalesce(max(CASE state WHEN 'listo' THEN expires END), 0), coalesce(max(expires), 0) "
                                     "FROM requests WHERE account = ?1 AND state IN ('listo','bloqueado')" },
    [SQL_ACCOUNTS_WANTED] = { .text = "SELECT a.name, a.email, a.hash, a.token, a.is_foreign, a.created, "
                                      "coalesce(max(CASE r.state WHEN 'listo' THEN r.expires END), 0), coalesce(max(r.expires), 0) "
                                      "FROM accounts AS a LEFT JOIN requests AS r ON r.account = a.name AND r.state IN ('listo','bloqueado') "
                                      "GROUP BY a.name ORDER BY a.name", .may_scan = true },
    [SQL_ACCOUNT_AWAITED] = { .text = "SELECT EXISTS (SELECT 1 FROM requests WHERE email = ?1 AND state <> 'eliminado' AND state = 'traslado' AND copied)" },
    /* The address of a name never changes: an update that would change it gives no row back. */
    [SQL_ACCOUNT_PUT] = { .text = "INSERT INTO accounts (" ACCOUNT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
                                  "ON CONFLICT (name) DO UPDATE SET hash = ?3, token = ?4, is_foreign = ?5 WHERE email = ?2 RETURNING 1" },
    [SQL_ACCOUNT_CLEAR] = { .text = "UPDATE accounts SET hash = CASE WHEN ?2 THEN hash END, token = NULL, drop_bytes = 0 WHERE name = ?1 RETURNING 1" },
    [SQL_ACCOUNT_NEXT_TOKEN] = { .text = "SELECT " ACCOUNT_COLUMNS " FROM accounts WHERE name > ?1 AND token IS NOT NULL ORDER BY name LIMIT 1" },
    [SQL_ACCOUNT_SET_TOKEN] = { .text = "UPDATE accounts SET token = ?2 WHERE name = ?1" },
    [SQL_DROP] = { .text = "SELECT drop_bytes FROM accounts WHERE name = ?1" },
    [SQL_DROP_PUT] = { .text = "UPDATE accounts SET drop_bytes = ?2 WHERE name = ?1 RETURNING 1" },

    [SQL_EVENTS] = { .text = "SELECT n, at, state, actor, message, request_id FROM events WHERE life = ?1 AND n > ?2 ORDER BY n" },
    [SQL_EVENT_LAST] = { .text = "SELECT n FROM events WHERE life = ?1 ORDER BY n DESC LIMIT 1" },
    [SQL_EVENT_INSERT] = { .text = "INSERT INTO events (life, n, at, state, actor, message, request_id) VALUES (?1, "
                                   "1 + coalesce((SELECT n FROM events WHERE life = ?1 ORDER BY n DESC LIMIT 1), 0), ?2, ?3, ?4, ?5, ?6)" },

    [SQL_TASKS] = { .text = "SELECT t.life, t.kind, r.id, t.tries, t.not_before FROM tasks AS t INDEXED BY tasks_not_before "
                            "CROSS JOIN requests AS r ON r.life = t.life WHERE t.not_before <= ?1 ORDER BY t.not_before, t.life, t.kind" },
    [SQL_TASK_PUT] = { .text = "INSERT INTO tasks (life, kind, tries, not_before) VALUES (?1, ?2, ?3, ?4) "
                               "ON CONFLICT (life, kind) DO UPDATE SET tries = ?3, not_before = ?4" },
    [SQL_TASK_REMOVE] = { .text = "DELETE FROM tasks WHERE life = ?1 AND kind = ?2" },

    [SQL_ACCESS_TASKS] = { .text = "SELECT account, n, since FROM access_tasks WHERE account > ?1 ORDER BY account LIMIT ?2" },
    [SQL_ACCESS_TASK] = { .text = "SELECT account, n, since FROM access_tasks WHERE account = ?1" },
    [SQL_ACCESS_TASK_COUNT] = { .text = "SELECT count(*), coalesce(min(since), 0) FROM access_tasks", .may_scan = true },
    [SQL_ACCESS_TASK_PUT] = { .text = "INSERT INTO access_tasks (account, n, since) VALUES (?1, 1, ?2) ON CONFLICT (account) DO UPDATE SET n = n + 1 "
                                      "RETURNING n" },
    [SQL_ACCESS_TASK_DONE] = { .text = "DELETE FROM access_tasks WHERE account = ?1 AND n = ?2" },

    [SQL_DOWNLOAD_ADD] = { .text = "UPDATE downloads SET bytes = bytes + ?4, files = files + ?5, last = max(last, ?6) "
                                   "WHERE life = ?1 AND address = ?2 AND day = ?3 RETURNING 1" },
    [SQL_DOWNLOAD_INSERT] = { .text = "INSERT INTO downloads (life, address, day, bytes, files, last) VALUES (?1, ?2, ?3, ?4, ?5, ?6)" },
    [SQL_DOWNLOAD_COUNT] = { .text = "SELECT download_count, download_bytes FROM requests WHERE life = ?1" },
    [SQL_DOWNLOAD_SUM] = { .text = "UPDATE requests SET download_count = download_count + ?2, download_bytes = download_bytes + ?3, "
                                   "download_last = max(download_last, ?4) WHERE life = ?1" },

    [SQL_RATES] = { .text = "SELECT key, opened, calls FROM rates", .may_scan = true },
    [SQL_RATES_CLEAR] = { .text = "DELETE FROM rates", .may_scan = true },
    [SQL_RATE_PUT] = { .text = "INSERT INTO rates (key, opened, calls) VALUES (?1, ?2, ?3)" },

    [SQL_USER_BY_ID] = { .text = "SELECT " USER_COLUMNS " FROM users WHERE id = ?1" },
    [SQL_USER_BY_EMAIL] = { .text = "SELECT " USER_COLUMNS " FROM users WHERE email = ?1" },
    [SQL_USERS] = { .text = "SELECT " USER_COLUMNS " FROM users WHERE id > ?1 ORDER BY id LIMIT ?2" },
    [SQL_USER_HASH] = { .text = "SELECT hash FROM users WHERE id = ?1" },
    [SQL_USERS_COUNT] = { .text = "SELECT count(*) FROM users", .may_scan = true },
    [SQL_USERS_WAITING] = { .text = "SELECT count(*) FROM users INDEXED BY users_waiting WHERE approved = 0", .may_scan = true },
    [SQL_USERS_FORGET] = { .text = "DELETE FROM users WHERE approved = 0 AND created < ?1" },
    [SQL_USER_INSERT] = { .text = "INSERT INTO users (name, email, hash, role, is_active, approved, created) "
                                  "VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) RETURNING id" },
    [SQL_USER_UPDATE] = { .text = "UPDATE users SET role = ?2, is_active = ?3, approved = max(approved, ?3), generation = ?4 WHERE id = ?1" },
    [SQL_USER_SET_HASH] = { .text = "UPDATE users SET hash = ?2 WHERE id = ?1" },

    [SQL_ONETIME_INSERT] = { .text = "INSERT INTO onetime_tokens (digest, user, expires) VALUES (?1, ?2, ?3)" },
    /* Whoever gets the row back has spent it: nobody else ever will. */
    [SQL_ONETIME_SPEND] = { .text = "DELETE FROM onetime_tokens WHERE digest = ?1 AND expires > ?2 RETURNING user" },
    [SQL_ONETIME_COUNT] = { .text = "SELECT count(*) FROM onetime_tokens WHERE user = ?1" },
    [SQL_ONETIME_FORGET_OLD] = { .text = "DELETE FROM onetime_tokens WHERE expires <= ?1" },
    [SQL_ONETIME_FORGET_USER] = { .text = "DELETE FROM onetime_tokens WHERE user = ?1" },

    [SQL_DESTINATION_BY_ID] = { .text = "SELECT " DESTINATION_COLUMNS " FROM destinations WHERE id = ?1" },
    [SQL_DESTINATION_BY_NAME] = { .text = "SELECT " DESTINATION_COLUMNS " FROM destinations WHERE name = ?1" },
    [SQL_DESTINATIONS] = { .text = "SELECT " DESTINATION_COLUMNS " FROM destinations ORDER BY id LIMIT ?1 OFFSET ?2", .may_scan = true },
    [SQL_DESTINATIONS_OF_GROUP] = { .text = "SELECT " DESTINATION_COLUMNS " FROM destinations INDEXED BY destinations_grupo "
                                            "WHERE grupo = ?1 COLLATE NOCASE AND (?2 OR grupo = ?1) ORDER BY id" },
    [SQL_DESTINATION_DEFAULT] = { .text = "SELECT " DESTINATION_COLUMNS " FROM destinations INDEXED BY destinations_default WHERE is_default = 1" },
    [SQL_DESTINATION_COUNT] = { .text = "SELECT count(*) FROM destinations", .may_scan = true },
    [SQL_DESTINATION_INSERT] = { .text = "INSERT INTO destinations (name, type, host, port, username, password, ssh_key, path, grupo, is_default, "
                                         "host_key, seen_key, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING id" },
    [SQL_DESTINATION_UPDATE] = { .text = "UPDATE destinations SET name = ?1, type = ?2, host = ?3, port = ?4, username = ?5, password = ?6, ssh_key = ?7, "
                                         "path = ?8, grupo = ?9, is_default = ?10, host_key = ?11, seen_key = ?12, created = ?13 WHERE id = ?14 RETURNING id" },
    [SQL_DESTINATION_NO_DEFAULT] = { .text = "UPDATE destinations SET is_default = 0 WHERE is_default = 1" },
    /* Another server since the test was asked for: its key was not the one that was seen. */
    [SQL_DESTINATION_SEEN] = { .text = "UPDATE destinations SET seen_key = ?4 WHERE id = ?1 AND host = ?2 AND port = ?3" },
    [SQL_DESTINATION_REMOVE] = { .text = "DELETE FROM destinations WHERE id = ?1 RETURNING id" },
    [SQL_DESTINATION_NEXT_SECRET] = { .text = "SELECT id, password, ssh_key FROM destinations WHERE id > ?1 ORDER BY id LIMIT 1" },
    [SQL_DESTINATION_SET_SECRETS] = { .text = "UPDATE destinations SET password = ?2, ssh_key = ?3 WHERE id = ?1" },

    [SQL_EXPORT] = { .text = SELECT_EXPORT EXPORT_REQUEST "WHERE e.life = ?1 AND e.n = ?2" },
    [SQL_EXPORT_BY_TOKEN] = { .text = SELECT_EXPORT EXPORT_REQUEST "WHERE e.token = ?1 AND e.state = 'subiendo'" },
    [SQL_EXPORTS] = { .text = SELECT_EXPORT EXPORT_REQUEST "WHERE e.life = ?1 ORDER BY e.n" },
    [SQL_EXPORTS_ACTIVE] = { .text = SELECT_EXPORT "INDEXED BY exports_active " EXPORT_REQUEST "WHERE e.state = ?1 AND e.state IN ('pendiente','subiendo') "
                                     "ORDER BY e.created, e.life, e.n LIMIT ?2" },
    [SQL_EXPORTS_WAITING] = { .text = "SELECT count(*) FROM exports INDEXED BY exports_active WHERE state = 'pendiente' AND state IN ('pendiente','subiendo')" },
    [SQL_EXPORT_NEXT] = { .text = "SELECT coalesce(max(n), 0) + 1 FROM exports WHERE life = ?1" },
    [SQL_EXPORT_INSERT] = { .text = "INSERT INTO exports (life, n, destination, name, type, automatic, state, created) "
                                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pendiente', ?7)" },
    [SQL_EXPORT_UPDATE] = { .text = "UPDATE exports SET state = ?3, run = ?4, token = ?5, bytes = ?6, files = ?7, message = ?8, ended = ?9 "
                                    "WHERE life = ?1 AND n = ?2 AND state = ?10 AND run = ?11 RETURNING 1" },
    [SQL_EXPORTS_CANCEL_LIFE] = { .text = "UPDATE exports SET state = 'cancelado', token = NULL, message = ?2, ended = ?3 "
                                          "WHERE life = ?1 AND state IN ('pendiente','subiendo')" },
    [SQL_EXPORTS_CANCEL_DESTINATION] = { .text = "UPDATE exports SET state = 'cancelado', token = NULL, message = ?2, ended = ?3 "
                                                 "WHERE destination = ?1 AND state IN ('pendiente','subiendo')" },
    [SQL_EXPORT_LINES] = { .text = "SELECT n, at, text FROM export_lines WHERE life = ?1 ORDER BY n, line" },
    [SQL_EXPORT_LINE_NEXT] = { .text = "SELECT coalesce(max(line), 0) + 1 FROM export_lines WHERE life = ?1 AND n = ?2" },
    [SQL_EXPORT_LINE_INSERT] = { .text = "INSERT INTO export_lines (life, n, line, at, text) VALUES (?1, ?2, ?3, ?4, ?5)" },

    [SQL_AUDIT] = { .text = "SELECT n, at, actor, address, action, target, result, request_id, kind, detail FROM audit WHERE n < ?1 ORDER BY n DESC LIMIT ?2" },
    [SQL_AUDIT_INSERT] = { .text = "INSERT INTO audit (at, actor, address, action, target, result, request_id, kind, detail, k) "
                                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1 + coalesce((SELECT k FROM audit WHERE kind = ?8 ORDER BY k DESC LIMIT 1), 0)) RETURNING k" },
    [SQL_AUDIT_TRIM_SHARE] = { .text = "DELETE FROM audit WHERE kind = ?1 AND k <= ?2" },
    /* The oldest few each time: enough, as each new row looks at more than one. */
    [SQL_AUDIT_TRIM_AGE] = { .text = "DELETE FROM audit WHERE n IN (SELECT n FROM audit ORDER BY n LIMIT 8) AND at < ?1", .may_scan = true },

    [SQL_TOTALS] = { .text = "SELECT key, value FROM totals", .may_scan = true },

    [SQL_NOTE] = { .text = "SELECT value FROM notes WHERE key = ?1" },
    [SQL_NOTE_PUT] = { .text = "INSERT INTO notes (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value" },
};

const char *statement_text(StatementId id) {
    assert(id < STATEMENT_MAX);
    return statements[id].text;
}

bool statement_may_scan(StatementId id) {
    assert(id < STATEMENT_MAX);
    return statements[id].may_scan;
}
