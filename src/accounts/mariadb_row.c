/* Buffers for libmariadb, filled and read. Nothing here decides what to do about a row. */
#include "accounts/mariadb_row.h"

#include "accounts/trouble.h"
#include "basic/strings.h"

#include <errno.h>

void parameters_bytes(Parameters *p, const char *data, size_t size) {
    p->bind[p->n++] = (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_STRING, .buffer = (char *) data, .buffer_length = size };
}

void parameters_text(Parameters *p, const char *text) {
    if (text)
        parameters_bytes(p, text, strlen(text));
    else
        p->bind[p->n++] = (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_NULL };
}

void parameters_number(Parameters *p, int64_t number) {
    p->numbers[p->n] = number;
    p->bind[p->n] = (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &p->numbers[p->n] };
    p->n++;
}

void parameters_access(Parameters *p, const Link *l, const AccountWish *wish) {
    parameters_text(p, wish->enabled ? "1" : "0"); /* as text: right for numbers and for ENUM('0','1') */
    if (!l->shape.expires)
        return;
    if (wish->expires > 0)
        table_utc(wish->expires, p->utc);
    parameters_text(p, wish->expires > 0 ? p->utc : NULL);
}

void parameters_ours(Parameters *p, const AccountWish *wish) {
    parameters_text(p, wish->name);
    parameters_text(p, wish->name);
    parameters_text(p, wish->known_hash);
    parameters_text(p, wish->home);
}

static MYSQL_BIND result_number(int64_t *number) {
    return (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = number };
}

static MYSQL_BIND result_text(char *text, size_t size, unsigned long *length) {
    return (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_STRING, .buffer = text, .buffer_length = size - 1, .length = length };
}

void row_bind(Row *row, TableStatement s, MYSQL_BIND ret[static ROW_COLUMNS]) {
    ret[0] = s == TABLE_LOOK ? result_number(&row->exact) : result_text(row->name, sizeof(row->name), &row->name_size);
    ret[1] = result_text(row->hash, sizeof(row->hash), &row->hash_size);
    ret[2] = result_number(&row->uid);
    ret[3] = result_number(&row->gid);
    ret[4] = result_text(row->home, sizeof(row->home), &row->home_size);
    ret[5] = result_number(&row->enabled);
    ret[6] = result_number(&row->expires);
}

/* NULL leaves a buffer as it was: each row begins empty. */
int row_next(Link *l, TableStatement s, Row *row, AccountTrouble *ret_trouble) {
    *row = (Row) { 0 };
    int r = link_fetch(l, s, ret_trouble);
    if (r <= 0)
        return r;
    row->name[row->name_size < sizeof(row->name) ? row->name_size : 0] = '\0';
    row->hash[row->hash_size < sizeof(row->hash) ? row->hash_size : 0] = '\0';
    row->home[row->home_size < sizeof(row->home) ? row->home_size : 0] = '\0';
    return 1;
}

int row_look(Link *l, const char *name, Row *ret, AccountTrouble *ret_trouble) {
    _cleanup_free_ Row *row = malloc(sizeof(*row));
    Parameters p = { 0 };
    MYSQL_BIND results[ROW_COLUMNS];
    bool found = false, near = false;
    int r;

    if (!row)
        return -ENOMEM;
    parameters_text(&p, name);
    parameters_text(&p, name);
    row_bind(row, TABLE_LOOK, results);
    r = link_run(l, TABLE_LOOK, p.bind, results, NULL, ret_trouble);
    if (r < 0)
        return r;
    while ((r = row_next(l, TABLE_LOOK, row, ret_trouble)) > 0) {
        found = found || row->exact;
        near = near || !row->exact;
        if (row->exact)
            *ret = *row;
    }
    link_end(l, TABLE_LOOK);
    wipe(row->hash, sizeof(row->hash));
    if (r < 0 || found || !near)
        return r < 0 ? r : found;
    return trouble_set(ret_trouble, TROUBLE_NAME,
                       "MariaDB: there is an account whose name the table takes for %s, but it is spelt otherwise. Rename it, or give column User a collation "
                       "such as utf8mb4_nopad_bin",
                       name);
}

static const char *whole(const char *text, size_t size) {
    return strlen(text) == size ? text : "";
}

AccountRow row_seen(const Row *row, const char *name, const Link *l) {
    return (AccountRow) {
        .name = name,
        .home = whole(row->home, row->home_size),
        .hash = whole(row->hash, row->hash_size),
        .uid = (uint32_t) row->uid,
        .gid = (uint32_t) row->gid,
        .enabled = row->enabled != 0,
        .expires = row->expires,
        .expires_kept = l->shape.expires,
    };
}
