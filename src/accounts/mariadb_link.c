/* libmariadb's calls stand here. Sources: MariaDB Connector/C's API, https://mariadb.com/kb/en/mariadb-connectorc-api-functions/, and the server's error
 * codes, https://mariadb.com/kb/en/mariadb-error-codes/. */
#include "accounts/mariadb_link.h"

#include "accounts/trouble.h"
#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/account.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <poll.h>
#include <stdio.h>

#define SESSION_WAIT_SECONDS 600 /* the server ends a session that nobody uses any more, and so its locks */
#define LOCK_NAME_SIZE (sizeof("tempoftp.") + ACCOUNT_NAME_MAX)
#define LOCK_QUOTED_SIZE (2 * LOCK_NAME_SIZE + 1)

/* ---- errors ---- */

static const struct {
    unsigned code;
    AccountTroubleKind kind;
    const char *advice;
} errors[] = {
    { ER_ACCESS_DENIED_ERROR, TROUBLE_LOGIN, "Check FTP_DB_USER and FTP_DB_PASS" },
    { ER_ACCESS_DENIED_NO_PASSWORD_ERROR, TROUBLE_LOGIN, "Check FTP_DB_USER and FTP_DB_PASS" },
    { ER_DBACCESS_DENIED_ERROR, TROUBLE_RIGHTS, "Check FTP_DB_NAME; sql/grants.sql gives the rights" },
    { ER_HOST_NOT_PRIVILEGED, TROUBLE_LOGIN, "The server lets nobody in from this address" },
    { ER_HOST_IS_BLOCKED, TROUBLE_LOGIN, "On the server: mariadb-admin flush-hosts" },
    { ER_MUST_CHANGE_PASSWORD_LOGIN, TROUBLE_LOGIN, "Give FTP_DB_USER a new password" },
    { ER_MUST_CHANGE_PASSWORD, TROUBLE_LOGIN, "Give FTP_DB_USER a new password" },
    { CR_SSL_CONNECTION_ERROR, TROUBLE_LOGIN, "Check the server's certificate, its name in FTP_DB_HOST, and FTP_DB_TLS_CA" },
    { CR_AUTH_PLUGIN_CANNOT_LOAD, TROUBLE_LOGIN, "FTP_DB_USER must log in with mysql_native_password, ed25519 or unix_socket" },
    { CR_UNKNOWN_HOST, TROUBLE_AWAY, "Check FTP_DB_HOST" },
    { ER_BAD_DB_ERROR, TROUBLE_TABLE, "Check FTP_DB_NAME; sql/schema.sql makes database and table" },
    { ER_NO_SUCH_TABLE, TROUBLE_TABLE, "Check FTP_DB_TABLE; sql/schema.sql makes it" },
    { ER_TABLEACCESS_DENIED_ERROR, TROUBLE_RIGHTS, "sql/grants.sql gives the rights" },
    { ER_COLUMNACCESS_DENIED_ERROR, TROUBLE_RIGHTS, "sql/grants.sql gives the rights" },
    { ER_SPECIFIC_ACCESS_DENIED_ERROR, TROUBLE_RIGHTS, "sql/grants.sql gives the rights" },
    { ER_BAD_FIELD_ERROR, TROUBLE_TABLE, "The table was changed; it is looked at again at the next try" },
    { ER_NO_DEFAULT_FOR_FIELD, TROUBLE_TABLE, "Give that column a default" },
    { ER_BAD_NULL_ERROR, TROUBLE_TABLE, "Give that column a default" },
    { ER_DATA_TOO_LONG, TROUBLE_TABLE, "Make that column wider" },
    { ER_WARN_DATA_OUT_OF_RANGE, TROUBLE_TABLE, "Make that column wider" },
    { WARN_DATA_TRUNCATED, TROUBLE_TABLE, "Make that column wider" },
    { ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, TROUBLE_TABLE, "Change that column's type" },
    { ER_TRUNCATED_WRONG_VALUE, TROUBLE_TABLE, "Change that column's type" },
    { ER_CONSTRAINT_FAILED, TROUBLE_TABLE, "The table has a rule against it" },
    { ER_CANT_AGGREGATE_2COLLATIONS, TROUBLE_TABLE, "Give the columns the character set utf8mb4" },
    { ER_CANT_AGGREGATE_NCOLLATIONS, TROUBLE_TABLE, "Give the columns the character set utf8mb4" },
    { ER_DUP_ENTRY, TROUBLE_NAME, "Another row has that name, or one that the table's collation takes for the same" },
};

/* Texts of the library and the server name users, hosts, columns and keys, never passwords or hashes. */
static int explain(AccountTrouble *ret, unsigned code, const char *message) {
    log_debug("MariaDB: error %u: %s", code, message);
    for (size_t i = 0; i < ELEMENTS(errors); i++)
        if (errors[i].code == code)
            return trouble_set(ret, errors[i].kind, "MariaDB: %s. %s", message, errors[i].advice);
    /* Whatever else a server says can pass: it starts or stops, its disk is full, a lock is held, it only reads now. */
    return trouble_set(ret, TROUBLE_AWAY, "MariaDB: %s", message);
}

static int fail_statement(Link *l, MYSQL_STMT *statement, AccountTrouble *ret) {
    unsigned code = mysql_stmt_errno(statement);

    if (code != ER_DUP_ENTRY) /* after anything else the connection, or what was looked up over it, may be wrong */
        l->broken = true;
    return explain(ret, code, mysql_stmt_error(statement));
}

static int fail_link(Link *l, AccountTrouble *ret) {
    l->broken = true;
    return explain(ret, mysql_errno(l->mysql), mysql_error(l->mysql));
}

static int check_deadline(Link *l, AccountTrouble *ret) {
    if (monotonic_ms() < l->deadline_ms)
        return 0;
    l->broken = true;
    return trouble_set(ret, TROUBLE_AWAY, "MariaDB answers too slowly (FTP_DB_TIMEOUT)");
}

uint64_t link_deadline(const Settings *s) {
    return monotonic_ms() + (uint64_t) s->db_timeout * 1000;
}

/* ---- connecting ---- */

static void set_options(MYSQL *mysql, const Settings *s) {
    const unsigned seconds = s->db_timeout, tcp = MYSQL_PROTOCOL_TCP, no = 0;
    const my_bool yes = 1, never = 0;

    mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &no); /* a server must not ask us for files */
    mysql_optionsv(mysql, MARIADB_OPT_FOUND_ROWS, &yes); /* a row that had these values already counts as found */
    /* Not mysql_clear_password, dialog and their like: a server that poses as ours must not get the password. */
    mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, "mysql_native_password,client_ed25519,caching_sha2_password,unix_socket");
    if (s->db_host[0] != '/')
        mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &tcp); /* "localhost" too: a port was set, not a socket */
    if (s->db_tls == DATABASE_TLS_REQUIRED && s->db_host[0] != '/') { /* a socket is nobody else's, and has no name to check */
        mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
        mysql_optionsv(mysql, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
        mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
        if (s->db_tls_ca)
            mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, s->db_tls_ca);
    } else
        mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &never); /* newer libraries would try TLS, and check, unasked */
}

static int connect_server(Link *l, const Settings *s, AccountTrouble *ret) {
    const char *socket = s->db_host[0] == '/' ? s->db_host : NULL;
    char host[256] = "";

    if (!socket) { /* IPv6 without its brackets */
        size_t size = strlen(s->db_host), skip = s->db_host[0] == '[';
        snprintf(host, sizeof(host), "%.*s", (int) (size - 2 * skip), s->db_host + skip);
    }
    set_options(l->mysql, s);
    if (mysql_real_connect(l->mysql, socket ? NULL : host, s->db_user, s->db_password ? s->db_password : "", s->db_name, s->db_port, socket, 0))
        return 0;
    return fail_link(l, ret);
}

/* Our own session, whatever the server's defaults: nothing is truncated, times are UTC, no lock is waited for longer than we wait for the server. */
static int set_session(Link *l, const Settings *s, AccountTrouble *ret) {
    char table[2 * 256 + 1], sql[320 + sizeof(table)];

    mysql_real_escape_string(l->mysql, table, s->db_table, strnlen(s->db_table, 255));
    int n = snprintf(sql, sizeof(sql),
                     "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', autocommit = 1,"
                     " wait_timeout = %d, lock_wait_timeout = %u, innodb_lock_wait_timeout = %u, @tempoftp_table = '%s'",
                     SESSION_WAIT_SECONDS, l->lock_seconds, l->lock_seconds, table);
    return mysql_real_query(l->mysql, sql, (unsigned long) n) == 0 ? 0 : fail_link(l, ret);
}

/* ---- the table ---- */

static const char columns_sql[] =
    "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, COALESCE(CHARACTER_MAXIMUM_LENGTH, 0),"
    " IS_NULLABLE = 'YES' OR COLUMN_DEFAULT IS NOT NULL OR EXTRA LIKE '%auto_increment%' OR EXTRA LIKE '%GENERATED%'"
    " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = @tempoftp_table ORDER BY ORDINAL_POSITION";
static const char keys_sql[] =
    "SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = @tempoftp_table AND NON_UNIQUE = 0"
    " GROUP BY INDEX_NAME HAVING COUNT(*) = 1 AND MAX(COLUMN_NAME) = 'User' AND MAX(SUB_PART) IS NULL";

static int ask(Link *l, const char *sql, MYSQL_RES **ret_rows, AccountTrouble *ret) {
    int r = check_deadline(l, ret);

    if (r < 0)
        return r;
    if (mysql_query(l->mysql, sql) != 0 || !(*ret_rows = mysql_store_result(l->mysql)))
        return fail_link(l, ret);
    return 0;
}

int link_check_table(Link *l, const Settings *s, AccountTrouble *ret) {
    const TableNeeds needs = {
        .database = s->db_name,
        .table = s->db_table,
        .format = s->password_format,
        .home_max = strlen(s->data_path) + 1 + ACCOUNT_NAME_MAX,
    };
    TableShape shape = l->shape;
    _cleanup_free_ TableColumn *columns = calloc(TABLE_COLUMNS_MAX, sizeof(TableColumn));
    MYSQL_RES *rows;
    size_t n = 0;

    if (!columns)
        return -ENOMEM;
    int r = ask(l, columns_sql, &rows, ret);
    if (r < 0)
        return r;
    for (MYSQL_ROW row; n < TABLE_COLUMNS_MAX && (row = mysql_fetch_row(rows)); n++) {
        TableColumn *c = &columns[n];
        snprintf(c->name, sizeof(c->name), "%s", row[0]);
        snprintf(c->type, sizeof(c->type), "%s", row[1]);
        snprintf(c->full_type, sizeof(c->full_type), "%s", row[2]);
        c->characters = strtoull(row[3], NULL, 10);
        c->fills_itself = row[4] && streq(row[4], "1");
    }
    mysql_free_result(rows);
    r = ask(l, keys_sql, &rows, ret);
    if (r < 0)
        return r;
    bool has_key = mysql_num_rows(rows) > 0;
    mysql_free_result(rows);
    r = table_shape_read(&needs, columns, n, has_key, &shape, ret);
    bool changed = shape.expires != l->shape.expires || shape.supplied != l->shape.supplied;
    if (r < 0 || (l->statements[0] && changed))
        l->broken = true; /* made anew when somebody has altered the table */
    l->shape = shape;
    l->checked_ms = monotonic_ms();
    return r;
}

/* The server checks the rights to each when it is prepared: what is lacking shows before anything is half done. */
static int prepare_statements(Link *l, const Settings *s, AccountTrouble *ret) {
    for (TableStatement i = 0; i < TABLE_STATEMENT_MAX; i++) {
        char sql[TABLE_SQL_SIZE];
        int r = table_statement(&l->shape, s->db_table, i, sql);

        if (r < 0)
            return r;
        l->statements[i] = mysql_stmt_init(l->mysql);
        if (!l->statements[i])
            return -ENOMEM;
        if (mysql_stmt_prepare(l->statements[i], sql, strlen(sql)) != 0)
            return fail_statement(l, l->statements[i], ret);
    }
    return 0;
}

int link_open(const Settings *s, uint64_t deadline_ms, Link **ret, AccountTrouble *ret_trouble) {
    static int (*const steps[])(Link *, const Settings *, AccountTrouble *) = { connect_server, set_session, link_check_table, prepare_statements };
    Link *l = calloc(1, sizeof(*l));
    int r = 0;

    if (!l || !(l->mysql = mysql_init(NULL))) {
        free(l);
        return -ENOMEM;
    }
    l->deadline_ms = deadline_ms;
    l->lock_seconds = s->db_timeout / 2;
    for (size_t i = 0; i < ELEMENTS(steps) && r >= 0; i++) {
        r = check_deadline(l, ret_trouble);
        if (r >= 0)
            r = steps[i](l, s, ret_trouble);
    }
    if (r < 0) {
        link_close(l);
        return r;
    }
    *ret = l;
    return 0;
}

Link *link_close(Link *l) {
    if (!l)
        return NULL;
    for (TableStatement i = 0; i < TABLE_STATEMENT_MAX; i++)
        if (l->statements[i])
            mysql_stmt_close(l->statements[i]);
    mysql_close(l->mysql);
    free(l);
    return NULL;
}

bool link_is_dead(const Link *l) {
    struct pollfd p = { .fd = mysql_get_socket(l->mysql), .events = POLLIN };
    return poll(&p, 1, 0) != 0; /* the server says nothing unasked but goodbye */
}

/* ---- statements ---- */

int link_run(Link *l, TableStatement s, MYSQL_BIND *parameters, MYSQL_BIND *results, uint64_t *ret_rows, AccountTrouble *ret_trouble) {
    MYSQL_STMT *statement = l->statements[s];

    int r = check_deadline(l, ret_trouble);
    if (r < 0)
        return r;
    if (mysql_stmt_bind_param(statement, parameters) != 0 || mysql_stmt_execute(statement) != 0)
        return fail_statement(l, statement, ret_trouble);
    if (results && (mysql_stmt_bind_result(statement, results) != 0 || mysql_stmt_store_result(statement) != 0))
        return fail_statement(l, statement, ret_trouble);
    if (ret_rows)
        *ret_rows = results ? mysql_stmt_num_rows(statement) : mysql_stmt_affected_rows(statement);
    return 0;
}

int link_fetch(Link *l, TableStatement s, AccountTrouble *ret_trouble) {
    switch (mysql_stmt_fetch(l->statements[s])) {
    case 0:
    case MYSQL_DATA_TRUNCATED: /* the length tells */
        return 1;
    case MYSQL_NO_DATA:
        return 0;
    default:
        return fail_statement(l, l->statements[s], ret_trouble);
    }
}

void link_end(Link *l, TableStatement s) {
    mysql_stmt_free_result(l->statements[s]);
}

/* ---- one change of an account at a time ---- */

static void lock_name(Link *l, const char *account, char ret[static LOCK_QUOTED_SIZE]) {
    char name[LOCK_NAME_SIZE];

    snprintf(name, sizeof(name), "tempoftp.%s", account);
    mysql_real_escape_string(l->mysql, ret, name, strlen(name));
}

int link_lock(Link *l, const char *account, AccountTrouble *ret_trouble) {
    char name[LOCK_QUOTED_SIZE], sql[sizeof(name) + 64];
    MYSQL_RES *rows;

    lock_name(l, account, name);
    snprintf(sql, sizeof(sql), "SELECT GET_LOCK('%s', %u)", name, l->lock_seconds);
    int r = ask(l, sql, &rows, ret_trouble);
    if (r < 0)
        return r;
    MYSQL_ROW row = mysql_fetch_row(rows);
    bool held = row && row[0] && streq(row[0], "1");
    mysql_free_result(rows);
    return held ? 0 : trouble_set(ret_trouble, TROUBLE_AWAY, "MariaDB: an earlier change of account %s is still under way there", account);
}

void link_unlock(Link *l, const char *account) {
    char name[LOCK_QUOTED_SIZE], sql[sizeof(name) + 64];

    lock_name(l, account, name);
    snprintf(sql, sizeof(sql), "DO RELEASE_LOCK('%s')", name);
    if (!l->broken && mysql_query(l->mysql, sql) != 0)
        l->broken = true; /* closing releases it */
}
