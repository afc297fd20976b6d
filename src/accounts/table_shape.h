/* The table of FTP accounts as it is out there, and the SQL that fits it. Pure: columns in, statements or an ALTER TABLE out; no server, no mysql.h.
 *
 * Needed: User (a unique key of its own), Password, Uid, Gid, Dir, Status; used when there: Expires. Names in any case. Others must have a default, or be
 * those of the well-known examples, which get their harmless value. Private to accounts/. */
#pragma once

#include "accounts/backend.h"

#define TABLE_COLUMNS_MAX 128
#define TABLE_HOME_MAX 4096 /* bytes of a Dir */
#define TABLE_SQL_SIZE 2048
#define TABLE_UTC_SIZE 20 /* "2026-11-21 21:00:00" and NUL: a DATETIME */

/* A row of information_schema.COLUMNS. */
typedef struct TableColumn {
    char name[256], type[64]; /* DATA_TYPE */
    char full_type[512];      /* COLUMN_TYPE, cut off */
    uint64_t characters;      /* CHARACTER_MAXIMUM_LENGTH; 0: it holds no text */
    bool fills_itself;        /* nullable, has a default, or is generated */
} TableColumn;

typedef struct TableNeeds {
    const char *database, *table;
    PasswordFormat format;
    size_t home_max; /* longest home that will be written, in characters */
} TableNeeds;

typedef struct TableShape {
    bool expires;
    uint32_t supplied; /* bit i: row i of the columns of well-known examples wants a value */
} TableShape;

typedef enum TableStatement {
    TABLE_LOOK,       /* name, name → exact, hash, uid, gid, home, enabled, expires */
    TABLE_INSERT,     /* name, hash, uid, gid, home, status, expires */
    TABLE_UPDATE,     /* hash, uid, gid, home, status, expires, OURS */
    TABLE_SET_ACCESS, /* status, expires, OURS */
    TABLE_REMOVE,     /* OURS: name, name, known hash, home */
    TABLE_LIST,       /* after → name, hash, uid, gid, home, enabled, expires */
    TABLE_STATEMENT_MAX,
} TableStatement;

#define TABLE_PAGE "1000" /* rows that TABLE_LIST answers at most */

/* has_key: User has a unique key of its own. -ENOTSUP and the trouble: what doesn't fit, with the ALTER TABLE that mends all of it. */
int table_shape_read(const TableNeeds *needs, const TableColumn *columns, size_t n, bool has_key, TableShape *ret, AccountTrouble *ret_trouble) _must_use_;
/* Text of a statement; every `?` is a parameter of the list above, without `expires` where the table has none (it answers 0 then). -E2BIG. */
int table_statement(const TableShape *shape, const char *table, TableStatement s, char ret[static TABLE_SQL_SIZE]) _must_use_;
/* UTC seconds as a DATETIME. */
void table_utc(int64_t utc, char ret[static TABLE_UTC_SIZE]);
