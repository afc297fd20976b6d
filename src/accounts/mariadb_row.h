/* What goes into the statements of table_shape.h and what comes out: parameters of a wish and rows of the table. Private to accounts/. */
#pragma once

#include "accounts/mariadb_link.h"

#define PARAMETERS_MAX 12
#define NAME_SIZE 3073 /* bytes of a key at most, and NUL */

/* Must not be copied: `bind` points into it. Texts must live until the statement was run. */
typedef struct Parameters {
    MYSQL_BIND bind[PARAMETERS_MAX];
    int64_t numbers[PARAMETERS_MAX];
    char utc[TABLE_UTC_SIZE];
    unsigned n;
} Parameters;

void parameters_text(Parameters *p, const char *text); /* NULL: NULL */
void parameters_bytes(Parameters *p, const char *data, size_t size);
void parameters_number(Parameters *p, int64_t number);
void parameters_access(Parameters *p, const Link *l, const AccountWish *wish); /* status and, where the table has it, expires */
void parameters_ours(Parameters *p, const AccountWish *wish);                  /* those of OURS */

typedef struct Row {
    int64_t exact, uid, gid, enabled, expires;
    char name[NAME_SIZE], hash[ACCOUNT_HASH_SIZE], home[TABLE_HOME_MAX];
    unsigned long name_size, hash_size, home_size;
} Row;

#define ROW_COLUMNS 7
/* Of TABLE_LOOK or TABLE_LIST: the first column of the one says whether it is exactly that name, that of the other is the name. */
void row_bind(Row *row, TableStatement s, MYSQL_BIND ret[static ROW_COLUMNS]);
/* As link_fetch(). A text that was cut off is empty. */
int row_next(Link *l, TableStatement s, Row *row, AccountTrouble *ret_trouble) _must_use_;
/* 1: there is that row; 0: there is none. -EEXIST: there is one that the collation takes for it. */
int row_look(Link *l, const char *name, Row *ret, AccountTrouble *ret_trouble) _must_use_;
/* As others see it, for as long as *row lives. A text with a NUL in it, which none of ours has, is empty. */
AccountRow row_seen(const Row *row, const char *name, const Link *l);
