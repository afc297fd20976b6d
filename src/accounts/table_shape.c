/* What a table must have, as a table: one row a column, and one a statement. How the server is asked is not known here. */
#include "accounts/table_shape.h"

#include "accounts/trouble.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "crypto/password_format.h"
#include "model/account.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#define IDENTIFIER_SIZE 192

typedef struct Text {
    char *at;
    size_t size, used;
} Text;

static void text_add(Text *t, const char *format, ...) _printf_(2, 3);
static void text_add(Text *t, const char *format, ...) {
    va_list ap;

    if (t->used >= t->size)
        return;
    va_start(ap, format);
    t->used += (size_t) vsnprintf(t->at + t->used, t->size - t->used, format, ap);
    va_end(ap);
}

/* ---- columns ---- */

static const char *const number_types[] = { "tinyint", "smallint", "mediumint", "int", "bigint", NULL };

static bool is_number(const TableColumn *c) {
    return strv_contains((char *const *) number_types, c->type);
}

static bool holds_text(const TableColumn *c, size_t characters) {
    return c->characters >= characters && !streq(c->type, "enum") && !streq(c->type, "set");
}

/* Ids up to what FTP_UID allows: a few tables keep them as text. */
static bool holds_id(const TableColumn *c) {
    return streq(c->type, "int") || streq(c->type, "bigint") || holds_text(c, 10);
}

/* ENUM('0','1') among others: values are always given and compared as text, or `= 1` would mean the first of its words. */
static bool holds_status(const TableColumn *c) {
    return is_number(c) || holds_text(c, 1) || (streq(c->type, "enum") && strstr(c->full_type, "'0'") && strstr(c->full_type, "'1'"));
}

static bool holds_name(const TableColumn *c, const TableNeeds *needs) {
    return holds_text(c, ACCOUNT_NAME_MAX);
}

static bool holds_hash(const TableColumn *c, const TableNeeds *needs) {
    return holds_text(c, password_format_length(needs->format));
}

static bool holds_any_id(const TableColumn *c, const TableNeeds *needs) {
    return holds_id(c);
}

static bool holds_home(const TableColumn *c, const TableNeeds *needs) {
    return holds_text(c, needs->home_max);
}

static bool holds_any_status(const TableColumn *c, const TableNeeds *needs) {
    return holds_status(c);
}

/* Not TIMESTAMP: what it means depends on the time zone of whoever reads it, and Pure-FTPd sets none. */
static bool holds_expires(const TableColumn *c, const TableNeeds *needs) {
    return streq(c->type, "datetime");
}

static const struct {
    const char *name;
    bool (*fits)(const TableColumn *c, const TableNeeds *needs);
    const char *wanted; /* what an ALTER TABLE makes of it */
    bool optional;
} wanted_columns[] = {
    { "User", holds_name, "VARCHAR(64) NOT NULL", false },
    { "Password", holds_hash, "VARCHAR(255) NOT NULL", false },
    { "Uid", holds_any_id, "INT UNSIGNED NOT NULL", false },
    { "Gid", holds_any_id, "INT UNSIGNED NOT NULL", false },
    { "Dir", holds_home, "VARCHAR(255) NOT NULL", false },
    { "Status", holds_any_status, "TINYINT NOT NULL DEFAULT 1", false },
    { "Expires", holds_expires, "DATETIME NULL", true },
};

/* Columns of the examples that people started from: what they get where they don't fill themselves. */
static const struct {
    const char *name, *value;
} known_columns[] = {
    { "QuotaFiles", "0" },   { "QuotaSize", "0" },      { "ULBandwidth", "0" },
    { "DLBandwidth", "0" },  { "ULRatio", "0" },        { "DLRatio", "0" },
    { "Ipaddress", "'*'" },  { "ipaccess", "'*'" },     { "Comment", "''" },
    { "LastModified", "CURRENT_TIMESTAMP" },
};
_Static_assert(ELEMENTS(known_columns) <= 32, "TableShape.supplied has a bit for each");

static const TableColumn *find_column(const TableColumn *columns, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(columns[i].name, name) == 0)
            return &columns[i];
    return NULL;
}

/* Inside `…`. */
static void quote(const char *name, char ret[static IDENTIFIER_SIZE]) {
    size_t n = 0;

    ret[n++] = '`';
    for (const char *p = name; *p && n + 3 < IDENTIFIER_SIZE; p++) {
        if (*p == '`')
            ret[n++] = '`';
        ret[n++] = *p;
    }
    ret[n++] = '`';
    ret[n] = '\0';
}

typedef struct Faults {
    Text what, clauses;
} Faults;

static void fault_add(Faults *f, const char *clause, const char *format, ...) _printf_(3, 4);
static void fault_add(Faults *f, const char *clause, const char *format, ...) {
    char what[640];
    va_list ap;

    va_start(ap, format);
    vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    text_add(&f->what, "%s%s", f->what.used > 0 ? "; " : "", what);
    text_add(&f->clauses, "%s%s", f->clauses.used > 0 ? ", " : "", clause);
}

static void check_wanted(const TableNeeds *needs, const TableColumn *columns, size_t n, Faults *f) {
    for (size_t i = 0; i < ELEMENTS(wanted_columns); i++) {
        const char *name = wanted_columns[i].name;
        const TableColumn *c = find_column(columns, n, name);
        char clause[512], quoted[IDENTIFIER_SIZE];

        if (!c && wanted_columns[i].optional)
            continue;
        quote(c ? c->name : name, quoted);
        if (streq(name, "Dir") && needs->home_max > 255)
            snprintf(clause, sizeof(clause), "%s COLUMN %s VARCHAR(%zu) NOT NULL", c ? "MODIFY" : "ADD", quoted, needs->home_max);
        else
            snprintf(clause, sizeof(clause), "%s COLUMN %s %s", c ? "MODIFY" : "ADD", quoted, wanted_columns[i].wanted);
        if (!c)
            fault_add(f, clause, "there is no column %s", name);
        else if (!wanted_columns[i].fits(c, needs) && streq(name, "Password"))
            fault_add(f, clause, "column %s is %.60s, and a hash of FTP_PASSWORD_FORMAT=%s has %zu characters", c->name, c->full_type,
                      password_format_name(needs->format), password_format_length(needs->format));
        else if (!wanted_columns[i].fits(c, needs))
            fault_add(f, clause, "column %s is %.60s", c->name, c->full_type);
    }
}

static bool is_wanted(const char *name) {
    for (size_t i = 0; i < ELEMENTS(wanted_columns); i++)
        if (strcasecmp(wanted_columns[i].name, name) == 0)
            return true;
    return false;
}

/* Columns that we would leave out of an INSERT. */
static uint32_t check_others(const TableColumn *columns, size_t n, Faults *f) {
    uint32_t supplied = 0;

    for (size_t i = 0; i < n; i++) {
        size_t k = 0;

        if (columns[i].fills_itself || is_wanted(columns[i].name))
            continue;
        while (k < ELEMENTS(known_columns) && strcasecmp(known_columns[k].name, columns[i].name) != 0)
            k++;
        if (k < ELEMENTS(known_columns))
            supplied |= UINT32_C(1) << k;
        else {
            char clause[512], quoted[IDENTIFIER_SIZE];
            quote(columns[i].name, quoted);
            snprintf(clause, sizeof(clause), "MODIFY COLUMN %s %.200s NULL", quoted, columns[i].full_type);
            fault_add(f, clause, "column %s must have a value and has no default", columns[i].name);
        }
    }
    return supplied;
}

int table_shape_read(const TableNeeds *needs, const TableColumn *columns, size_t n, bool has_key, TableShape *ret, AccountTrouble *ret_trouble) {
    char what[640] = "", clauses[800] = "", database[IDENTIFIER_SIZE], table[IDENTIFIER_SIZE];
    Faults f = { { what, sizeof(what), 0 }, { clauses, sizeof(clauses), 0 } };
    TableShape shape = { .expires = find_column(columns, n, "Expires") != NULL };

    if (n == 0)
        return trouble_set(ret_trouble, TROUBLE_TABLE,
                           "There is no table %s in database %s, or FTP_DB_USER has no right to it. sql/schema.sql makes it, sql/grants.sql gives the rights",
                           needs->table, needs->database);
    check_wanted(needs, columns, n, &f);
    shape.supplied = check_others(columns, n, &f);
    const TableColumn *user = find_column(columns, n, "User");
    if (!has_key && user)
        fault_add(&f, "ADD UNIQUE KEY (`User`)", "column User has no unique key of its own");
    if (f.what.used == 0) {
        *ret = shape;
        return 0;
    }
    if (f.what.used >= f.what.size || f.clauses.used >= f.clauses.size) /* half an ALTER TABLE would be worse than none */
        return trouble_set(ret_trouble, TROUBLE_TABLE, "Table %s.%s does not fit: %.500s… Compare it with sql/schema.sql", needs->database, needs->table, what);
    quote(needs->database, database);
    quote(needs->table, table);
    const TableColumn *hash = find_column(columns, n, "Password");
    bool crypt_fits = needs->format == PASSWORD_ARGON2 && hash && !holds_hash(hash, needs) && holds_text(hash, password_format_length(PASSWORD_CRYPT));
    return trouble_set(ret_trouble, TROUBLE_TABLE, "Table %s.%s does not fit: %s. Run: ALTER TABLE %s.%s %s;%s", needs->database, needs->table, what, database,
                       table, clauses,
                       crypt_fits ? " Or set FTP_PASSWORD_FORMAT=crypt, whose hashes fit, and MYSQLCrypt crypt in Pure-FTPd's configuration" : "");
}

/* ---- statements ---- */

/* Exact whatever the collation says of case, accents and blanks at the end; the first half is for the index. */
#define THAT_NAME "`User` = ? AND BINARY CONVERT(`User` USING utf8mb4) = BINARY ?"
/* backend.h: a row with the hash that we wrote down, or with the home. A hash that we don't know is NULL and equals nothing. */
#define OURS THAT_NAME " AND (BINARY CONVERT(`Password` USING utf8mb4) = BINARY ? OR BINARY CONVERT(`Dir` USING utf8mb4) = BINARY ?)"
#define VALUES_OF_A_ROW "`Password`, `Uid` + 0, `Gid` + 0, `Dir`, `Status` = '1', "

static void add_expires_value(Text *t, const TableShape *shape) {
    text_add(t, "%s", shape->expires ? "COALESCE(TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', `Expires`), 0)" : "0");
}

static void add_insert(Text *t, const TableShape *shape, const char *table) {
    text_add(t, "INSERT INTO %s (`User`, `Password`, `Uid`, `Gid`, `Dir`, `Status`%s", table, shape->expires ? ", `Expires`" : "");
    for (size_t i = 0; i < ELEMENTS(known_columns); i++)
        if (shape->supplied & UINT32_C(1) << i)
            text_add(t, ", `%s`", known_columns[i].name);
    text_add(t, ") VALUES (?, ?, ?, ?, ?, ?%s", shape->expires ? ", ?" : "");
    for (size_t i = 0; i < ELEMENTS(known_columns); i++)
        if (shape->supplied & UINT32_C(1) << i)
            text_add(t, ", %s", known_columns[i].value);
    text_add(t, ")");
}

/* The end is left as it is where none is given. */
static void add_access(Text *t, const TableShape *shape) {
    text_add(t, "`Status` = ?%s", shape->expires ? ", `Expires` = COALESCE(?, `Expires`)" : "");
}

int table_statement(const TableShape *shape, const char *name, TableStatement s, char ret[static TABLE_SQL_SIZE]) {
    Text t = { ret, TABLE_SQL_SIZE, 0 };
    char table[IDENTIFIER_SIZE];

    quote(name, table);
    switch (s) {
    case TABLE_LOOK:
        text_add(&t, "SELECT BINARY CONVERT(`User` USING utf8mb4) = BINARY ?, " VALUES_OF_A_ROW);
        add_expires_value(&t, shape);
        text_add(&t, " FROM %s WHERE `User` = ?", table);
        break;
    case TABLE_INSERT:
        add_insert(&t, shape, table);
        break;
    case TABLE_UPDATE:
        text_add(&t, "UPDATE %s SET `Password` = ?, `Uid` = ?, `Gid` = ?, `Dir` = ?, ", table);
        add_access(&t, shape);
        text_add(&t, " WHERE " OURS);
        break;
    case TABLE_SET_ACCESS:
        text_add(&t, "UPDATE %s SET ", table);
        add_access(&t, shape);
        text_add(&t, " WHERE " OURS);
        break;
    case TABLE_REMOVE:
        text_add(&t, "DELETE FROM %s WHERE " OURS, table);
        break;
    case TABLE_LIST:
        text_add(&t, "SELECT `User`, " VALUES_OF_A_ROW);
        add_expires_value(&t, shape);
        text_add(&t, " FROM %s WHERE `User` > ? ORDER BY `User` LIMIT " TABLE_PAGE, table);
        break;
    case TABLE_STATEMENT_MAX:
        break;
    }
    return t.used > 0 && t.used < t.size ? 0 : -E2BIG;
}

void table_utc(int64_t utc, char ret[static TABLE_UTC_SIZE]) {
    char text[RFC3339_SIZE];

    rfc3339_format(utc, text);
    text[10] = ' ';
    text[19] = '\0';
    memcpy(ret, text, TABLE_UTC_SIZE);
}
