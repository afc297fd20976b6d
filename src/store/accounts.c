/* Table `accounts`: which address has which account name (for ever), and what we hold of its
 * password now. Tokens arrive encrypted, hashes hashed: nothing here is a secret in clear. When
 * an account may log in is asked of its requests. */
#include "store/handles.h"

#include <errno.h>
#include <string.h>

enum { COLUMN_ACCOUNT_NAME, COLUMN_ACCOUNT_EMAIL, COLUMN_ACCOUNT_HASH, COLUMN_ACCOUNT_TOKEN, COLUMN_ACCOUNT_FOREIGN, COLUMN_ACCOUNT_CREATED,
       COLUMN_ACCOUNT_MAX };

void account_done(Account *a) {
    free(a->hash);
    free(a->token);
    a->hash = a->token = NULL;
}

static int account_read(const Query *q, Account *ret) {
    _cleanup_account_ Account a = { 0 };
    int r;

    r = query_column_fixed(q, COLUMN_ACCOUNT_NAME, a.name, sizeof(a.name));
    if (r >= 0)
        r = query_column_fixed(q, COLUMN_ACCOUNT_EMAIL, a.email, sizeof(a.email));
    if (r >= 0)
        r = query_column_copy(q, COLUMN_ACCOUNT_HASH, &a.hash);
    if (r >= 0)
        r = query_column_copy(q, COLUMN_ACCOUNT_TOKEN, &a.token);
    if (r < 0)
        return r;
    a.foreign = query_column_integer(q, COLUMN_ACCOUNT_FOREIGN) != 0;
    a.created = query_column_integer(q, COLUMN_ACCOUNT_CREATED);
    *ret = a;
    a = (Account) { 0 };
    return 0;
}

static int account_get(Connection *c, StatementId statement, const char *key, Account *ret) {
    _cleanup_query_ Query q = query_start(c, statement);
    int r;

    query_text(&q, 1, key);
    r = query_step(&q);
    return r < 0 ? r : r == 0 ? -ENOENT : account_read(&q, ret);
}

int store_account_by_name(Store *s, const char *name, Account *ret) {
    return account_get(s->reader, SQL_ACCOUNT_BY_NAME, name, ret);
}

int store_account_by_email(Store *s, const char *email, Account *ret) {
    return account_get(s->reader, SQL_ACCOUNT_BY_EMAIL, email, ret);
}

int tx_account_by_email(StoreTx *tx, const char *email, Account *ret) {
    return account_get(tx->connection, SQL_ACCOUNT_BY_EMAIL, email, ret);
}

int store_list_accounts(Store *s, AccountWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_ACCOUNTS);
    int r;

    while ((r = query_step(&q)) > 0) {
        _cleanup_account_ Account a = { 0 };

        r = account_read(&q, &a);
        if (r >= 0)
            r = walk(&a, userdata);
        if (r != 0)
            return r;
    }
    return r;
}

int store_account_access(Store *s, const char *name, int64_t *ret_expires, bool *ret_blocked) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_ACCOUNT_ACCESS);
    int r;

    query_text(&q, 1, name);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    *ret_expires = query_column_integer(&q, 0);
    *ret_blocked = query_column_integer(&q, 1) != 0;
    return 0;
}

static AccountWanted wanted_read(const Query *q, int column) {
    int64_t open = query_column_integer(q, column), any = query_column_integer(q, column + 1);

    return (AccountWanted) { .used = any > 0, .enabled = open > 0, .expires = open > 0 ? open : any };
}

static int wanted_get(Connection *c, const char *name, AccountWanted *ret) {
    _cleanup_query_ Query q = query_start(c, SQL_ACCOUNT_WANTED);
    int r;

    query_text(&q, 1, name);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    *ret = wanted_read(&q, 0);
    return 0;
}

int store_account_wanted(Store *s, const char *name, AccountWanted *ret) {
    return wanted_get(s->reader, name, ret);
}

int tx_account_wanted(StoreTx *tx, const char *name, AccountWanted *ret) {
    return wanted_get(tx->connection, name, ret);
}

int tx_list_wanted(StoreTx *tx, AccountWantedWalk walk, void *userdata) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ACCOUNTS_WANTED);
    int r;

    while ((r = query_step(&q)) > 0) {
        _cleanup_account_ Account a = { 0 };
        AccountWanted wanted = wanted_read(&q, COLUMN_ACCOUNT_MAX);

        r = account_read(&q, &a);
        if (r >= 0)
            r = walk(&a, &wanted, userdata);
        if (r != 0)
            return r;
    }
    return r;
}

int store_account_is_awaited(Store *s, const char *email) {
    _cleanup_query_ Query q = query_start(s->reader, SQL_ACCOUNT_AWAITED);
    int r;

    query_text(&q, 1, email);
    r = query_step(&q);
    return r <= 0 ? r < 0 ? r : -EBADMSG : query_column_integer(&q, 0) != 0;
}

/* Runs a statement that ends in RETURNING 1: was a row touched? */
static int query_touched(Query *q, bool *ret) {
    int r = query_step(q);

    if (r < 0)
        return r;
    *ret = r > 0;
    return r > 0 ? query_run(q) : 0; /* to its end: only then it is done */
}

int tx_account_put(StoreTx *tx, const Account *a) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ACCOUNT_PUT);
    bool touched = false;
    int r;

    changes_note_any(tx->changes); /* its token is part of what its requests show */
    query_text(&q, 1, a->name);
    query_text(&q, 2, a->email);
    query_text(&q, 3, a->hash);
    query_text(&q, 4, a->token);
    query_integer(&q, 5, a->foreign);
    query_integer(&q, 6, a->created);
    r = query_touched(&q, &touched);
    if (r == -EEXIST) /* the name was free (else the conflict clause had taken it): the address has another name already */
        return -ENOTUNIQ;
    return r < 0 ? r : touched ? 0 : -EEXIST;
}

int tx_account_clear(StoreTx *tx, const char *name, bool keep_hash) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ACCOUNT_CLEAR);
    bool touched = false;
    int r;

    changes_note_any(tx->changes);
    query_text(&q, 1, name);
    query_integer(&q, 2, keep_hash);
    r = query_touched(&q, &touched);
    return r < 0 ? r : touched ? 0 : -ENOENT;
}

static int drop_read(Connection *c, const char *account, uint64_t *ret_bytes) {
    _cleanup_query_ Query q = query_start(c, SQL_DROP);
    int r;

    query_text(&q, 1, account);
    r = query_step(&q);
    if (r >= 0)
        *ret_bytes = r == 0 ? 0 : (uint64_t) query_column_integer(&q, 0);
    return r < 0 ? r : 0;
}

int store_drop(Store *s, const char *account, uint64_t *ret_bytes) {
    return drop_read(s->reader, account, ret_bytes);
}

int tx_drop(StoreTx *tx, const char *account, uint64_t *ret_bytes) {
    return drop_read(tx->connection, account, ret_bytes);
}

int tx_drop_put(StoreTx *tx, const char *account, uint64_t bytes) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_DROP_PUT);
    bool touched = false;
    int r;

    changes_note_any(tx->changes); /* its requests show it */
    query_text(&q, 1, account);
    query_unsigned(&q, 2, bytes);
    r = query_touched(&q, &touched);
    return r < 0 ? r : touched ? 0 : -ENOENT;
}

int tx_account_uses(StoreTx *tx, const char *name, uint64_t *ret) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ACCOUNT_USES);
    int r;

    query_text(&q, 1, name);
    r = query_step(&q);
    if (r <= 0)
        return r < 0 ? r : -EBADMSG;
    *ret = (uint64_t) query_column_integer(&q, 0);
    return 0;
}

static int set_token(StoreTx *tx, const char *name, const char *token) {
    _cleanup_query_ Query q = query_start(tx->connection, SQL_ACCOUNT_SET_TOKEN);

    changes_note_any(tx->changes);
    query_text(&q, 1, name);
    query_text(&q, 2, token);
    return query_run(&q);
}

/* One look-up an account instead of one long walk: the walk would run over the rows that it changes. */
int tx_rotate_tokens(StoreTx *tx, TokenWalk walk, void *userdata) {
    char name[ACCOUNT_NAME_MAX + 1] = "";
    int r;

    for (;;) {
        _cleanup_account_ Account a = { 0 };
        _cleanup_free_ char *token = NULL;

        r = account_get(tx->connection, SQL_ACCOUNT_NEXT_TOKEN, name, &a);
        if (r < 0)
            return r == -ENOENT ? 0 : r;
        memcpy(name, a.name, sizeof(name));
        r = walk(&a, &token, userdata);
        if (r == 0 && token)
            r = set_token(tx, name, token);
        if (r != 0)
            return r;
    }
}
