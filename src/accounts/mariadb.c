/* The back end of a fleet: accounts are rows of a table that any number of Pure-FTPd servers read. How connections are made and kept stands in mariadb_link.c
 * and mariadb_pool.c, what the table must look like in table_shape.c, whose a row is in backend.h. */
#include "accounts/backend.h"

#include "accounts/mariadb_pool.h"
#include "accounts/mariadb_row.h"
#include "accounts/mariadb_start.h"
#include "accounts/trouble.h"
#include "basic/strings.h"
#include "crypto/password_format.h"

#include <errno.h>

typedef struct Mariadb {
    AccountBackend backend;
    LinkPool links;
} Mariadb;

static LinkPool *links_of(AccountBackend *b) {
    return &((Mariadb *) b)->links;
}

/* ---- making ---- */

typedef struct Prepare {
    const AccountWish *wish;
    bool foreign; /* there, and not ours */
    Row row;
} Prepare;

static int prepare_work(Link *l, void *userdata, AccountTrouble *ret_trouble) {
    Prepare *p = userdata;
    int r = row_look(l, p->wish->name, &p->row, ret_trouble);

    if (r > 0) {
        AccountRow seen = row_seen(&p->row, p->wish->name, l);
        p->foreign = !account_row_is_ours(&seen, p->wish);
    }
    return r < 0 ? r : 0;
}

static int foreign_grant(const Prepare *p, AccountGrant *ret, AccountTrouble *ret_trouble) {
    if (p->row.hash[0] == '\0')
        return trouble_set(ret_trouble, TROUBLE_TABLE, "MariaDB: account %s is somebody else's and its password is empty or longer than %d characters",
                           p->wish->name, ACCOUNT_HASH_SIZE - 1);
    ret->foreign = true;
    memcpy(ret->hash, p->row.hash, sizeof(ret->hash));
    return 0;
}

static int mariadb_prepare(AccountBackend *b, const AccountWish *wish, AccountGrant *ret, AccountTrouble *ret_trouble) {
    Mariadb *m = (Mariadb *) b;
    Prepare *p = calloc(1, sizeof(*p));
    AccountGrant grant = { 0 };
    int r = -ENOMEM;

    if (p) {
        p->wish = wish;
        r = link_pool_do(&m->links, prepare_work, p, ret_trouble);
    }
    if (r >= 0) {
        if (p->foreign)
            r = foreign_grant(p, &grant, ret_trouble);
        else if (!wish->foreign && wish->known_hash && wish->token_held)
            grant.kept = true;
        else {
            password_generate(grant.password);
            r = password_format_hash(m->links.settings->password_format, grant.password, grant.hash);
        }
    }
    if (r >= 0)
        *ret = grant;
    wipe(&grant, sizeof(grant));
    if (p)
        wipe(p->row.hash, sizeof(p->row.hash));
    free(p);
    return r;
}

typedef struct Ensure {
    const AccountWish *wish;
    Row row;
    bool changed;
} Ensure;

static int insert(Link *l, const AccountWish *wish, AccountTrouble *ret_trouble) {
    Parameters p = { 0 };

    parameters_text(&p, wish->name);
    parameters_text(&p, wish->known_hash);
    parameters_number(&p, wish->uid);
    parameters_number(&p, wish->gid);
    parameters_text(&p, wish->home);
    parameters_access(&p, l, wish);
    return link_run(l, TABLE_INSERT, p.bind, NULL, NULL, ret_trouble);
}

static int update(Link *l, const AccountWish *wish, AccountTrouble *ret_trouble) {
    Parameters p = { 0 };

    parameters_text(&p, wish->known_hash);
    parameters_number(&p, wish->uid);
    parameters_number(&p, wish->gid);
    parameters_text(&p, wish->home);
    parameters_access(&p, l, wish);
    parameters_ours(&p, wish);
    return link_run(l, TABLE_UPDATE, p.bind, NULL, NULL, ret_trouble);
}

static int ensure_work(Link *l, void *userdata, AccountTrouble *ret_trouble) {
    Ensure *e = userdata;
    const AccountWish *wish = e->wish;
    int r = wish->known_hash || wish->foreign ? row_look(l, wish->name, &e->row, ret_trouble) : -EINVAL;

    if (r < 0)
        return r;
    if (wish->foreign)
        return r > 0 ? 0 : -ENOENT;
    if (r == 0) {
        r = insert(l, wish, ret_trouble);
        e->changed = r >= 0;
        return r; /* -EEXIST: somebody was faster by a hair */
    }
    AccountRow seen = row_seen(&e->row, wish->name, l);
    if (!account_row_is_ours(&seen, wish))
        return trouble_set(ret_trouble, TROUBLE_NAME, "MariaDB: account %s is somebody else's", wish->name);
    if (account_row_is_as_wished(&seen, wish))
        return 0;
    r = update(l, wish, ret_trouble);
    e->changed = r >= 0;
    return r;
}

static int mariadb_ensure(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble) {
    Ensure *e = calloc(1, sizeof(*e));
    int r = -ENOMEM;

    *ret_changed = false;
    if (e) {
        e->wish = wish;
        r = link_pool_change(links_of(b), wish->name, ensure_work, e, ret_trouble);
        *ret_changed = e->changed;
        wipe(e->row.hash, sizeof(e->row.hash));
    }
    free(e);
    return r;
}

/* ---- changing and taking away ---- */

typedef struct Change {
    const AccountWish *wish;
    TableStatement statement;
    uint64_t rows;
} Change;

static int change_work(Link *l, void *userdata, AccountTrouble *ret_trouble) {
    Change *c = userdata;
    Parameters p = { 0 };

    if (c->statement == TABLE_SET_ACCESS)
        parameters_access(&p, l, c->wish);
    parameters_ours(&p, c->wish);
    return link_run(l, c->statement, p.bind, NULL, &c->rows, ret_trouble);
}

static int mariadb_set_access(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble) {
    Change c = { .wish = wish, .statement = TABLE_SET_ACCESS };
    int r = wish->foreign ? 0 : link_pool_change(links_of(b), wish->name, change_work, &c, ret_trouble);

    *ret_changed = r >= 0 && c.rows > 0;
    return r;
}

static int mariadb_remove(AccountBackend *b, const AccountWish *wish, AccountTrouble *ret_trouble) {
    Change c = { .wish = wish, .statement = TABLE_REMOVE };
    return wish->foreign ? 0 : link_pool_change(links_of(b), wish->name, change_work, &c, ret_trouble);
}

/* ---- looking around ---- */

typedef struct List {
    AccountRowWalk walk;
    void *userdata;
    char after[NAME_SIZE]; /* bytes: somebody's name may have a NUL in it */
    size_t after_size;
    int walked; /* what the walk said last */
    bool more;
    Row row;
} List;

static int list_page(Link *l, void *userdata, AccountTrouble *ret_trouble) {
    List *list = userdata;
    Parameters p = { 0 };
    MYSQL_BIND results[ROW_COLUMNS];
    int r;

    list->more = false;
    parameters_bytes(&p, list->after, list->after_size);
    row_bind(&list->row, TABLE_LIST, results);
    r = link_run(l, TABLE_LIST, p.bind, results, NULL, ret_trouble);
    if (r < 0)
        return r;
    while (list->walked == 0 && (r = row_next(l, TABLE_LIST, &list->row, ret_trouble)) > 0) {
        const Row *row = &list->row;
        AccountRow seen = row_seen(row, row->name, l);
        if (row->name_size >= sizeof(row->name))
            return trouble_set(ret_trouble, TROUBLE_TABLE, "MariaDB: there is an account with a name of %lu bytes", row->name_size);
        list->more = true;
        memcpy(list->after, row->name, row->name_size);
        list->after_size = row->name_size;
        if (strlen(row->name) == row->name_size) /* another is no name that could be meant */
            list->walked = list->walk(&seen, list->userdata);
    }
    link_end(l, TABLE_LIST);
    wipe(list->row.hash, sizeof(list->row.hash));
    return r < 0 ? r : 0;
}

static int mariadb_list(AccountBackend *b, AccountRowWalk walk, void *userdata, AccountTrouble *ret_trouble) {
    List *list = calloc(1, sizeof(*list));
    int r = list ? 0 : -ENOMEM;

    if (!list)
        return r;
    list->walk = walk;
    list->userdata = userdata;
    do
        r = link_pool_do(links_of(b), list_page, list, ret_trouble);
    while (r >= 0 && list->more && list->walked == 0);
    if (r >= 0)
        r = list->walked;
    free(list);
    return r;
}

static int probe_work(Link *l, void *userdata, AccountTrouble *ret_trouble) {
    return link_check_table(l, userdata, ret_trouble);
}

static int mariadb_probe(AccountBackend *b, AccountTrouble *ret_trouble) {
    return link_pool_do(links_of(b), probe_work, (void *) links_of(b)->settings, ret_trouble);
}

static void mariadb_free(AccountBackend *b) {
    Mariadb *m = (Mariadb *) b;

    link_pool_done(&m->links);
    free(m);
}

static const AccountBackendVtable mariadb = {
    .name = "mariadb",
    .outside = true,
    .prepare = mariadb_prepare,
    .ensure = mariadb_ensure,
    .set_access = mariadb_set_access,
    .remove = mariadb_remove,
    .list = mariadb_list,
    .probe = mariadb_probe,
    .free = mariadb_free,
};

int account_backend_mariadb_new(const Settings *settings, SettingsWarn warn, void *userdata, AccountBackend **ret, char **ret_error) {
    int r = mariadb_check_start(settings, warn, userdata, ret_error);

    if (r < 0)
        return r;
    Mariadb *m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    if (mysql_library_init(0, NULL, NULL) != 0) { /* before threads call it */
        free(m);
        return -ENOMEM;
    }
    m->backend.v = &mariadb;
    link_pool_init(&m->links, settings);
    *ret = &m->backend;
    return 0;
}
