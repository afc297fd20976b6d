/* The back end of a fleet: accounts are rows of a table that any number of Pure-FTPd servers read. Each call takes a connection that is free, or makes one;
 * one that died while nobody used it is replaced at once, anything else is the caller's to try again. How a connection is made and fails stands in
 * mariadb_link.c, what the table must look like in table_shape.c, whose a row is in backend.h. */
#include "accounts/backend.h"

#include "accounts/mariadb_link.h"
#include "accounts/pureftpd_conf.h"
#include "accounts/trouble.h"
#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "crypto/password_format.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#define IDLE_LINKS_MAX 4     /* kept; more calls at the same time make their own */
#define PARAMETERS_MAX 12
#define PUREFTPD_CREDENTIAL "pureftpd_mysql_conf" /* tempoftp-generator hands the file over: Pure-FTPd's is root's alone */
#define NAME_SIZE 3073       /* bytes of a key at most, and NUL */

typedef struct Mariadb {
    AccountBackend backend;
    const Settings *settings;
    pthread_mutex_t mutex; /* of what follows */
    Link *idle[IDLE_LINKS_MAX];
    size_t idle_n;
} Mariadb;

/* ---- connections ---- */

static Link *take_idle(Mariadb *m) {
    Link *l = NULL;

    pthread_mutex_lock(&m->mutex);
    while (!l && m->idle_n > 0) {
        l = m->idle[--m->idle_n];
        if (link_is_dead(l))
            l = link_close(l);
    }
    pthread_mutex_unlock(&m->mutex);
    return l;
}

static void give_back(Mariadb *m, Link *l) {
    bool kept = false;

    if (!l->broken) {
        l->pooled = true;
        pthread_mutex_lock(&m->mutex);
        kept = m->idle_n < IDLE_LINKS_MAX;
        if (kept)
            m->idle[m->idle_n++] = l;
        pthread_mutex_unlock(&m->mutex);
    }
    if (!kept)
        link_close(l);
}

static uint64_t deadline(const Mariadb *m) {
    return monotonic_ms() + (uint64_t) m->settings->db_timeout * 1000;
}

typedef int (*Work)(Mariadb *m, Link *l, void *userdata, AccountTrouble *ret_trouble);

/* Does it over one connection. Twice at most: one that waited may have died unnoticed, and everything done here can be done again. */
static int with_link(Mariadb *m, Work work, void *userdata, AccountTrouble *ret_trouble) {
    uint64_t by = deadline(m);

    for (;;) {
        Link *l = take_idle(m);
        int r = 0;

        if (l)
            l->deadline_ms = by;
        else
            r = link_open(m->settings, by, &l, ret_trouble);
        if (r < 0)
            return r;
        r = work(m, l, userdata, ret_trouble);
        bool again = r == -EAGAIN && l->broken && l->pooled && monotonic_ms() + 1000 < by;
        give_back(m, l);
        if (!again) {
            if (r >= 0)
                *ret_trouble = (AccountTrouble) { 0 };
            return r;
        }
    }
}

/* ---- parameters and rows ---- */

typedef struct Parameters {
    MYSQL_BIND bind[PARAMETERS_MAX];
    int64_t numbers[PARAMETERS_MAX];
    char utc[TABLE_UTC_SIZE];
    unsigned n;
} Parameters;

static void add_text(Parameters *p, const char *text) {
    p->bind[p->n++] = text ? (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_STRING, .buffer = (char *) text, .buffer_length = strlen(text) }
                           : (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_NULL };
}

static void add_number(Parameters *p, int64_t number) {
    p->numbers[p->n] = number;
    p->bind[p->n] = (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &p->numbers[p->n] };
    p->n++;
}

static void add_access(Parameters *p, const Link *l, const AccountWish *wish) {
    add_text(p, wish->enabled ? "1" : "0"); /* as text: right for numbers and for ENUM('0','1') */
    if (!l->shape.expires)
        return;
    if (wish->expires > 0)
        table_utc(wish->expires, p->utc);
    add_text(p, wish->expires > 0 ? p->utc : NULL);
}

static void add_ours(Parameters *p, const AccountWish *wish) {
    add_text(p, wish->name);
    add_text(p, wish->name);
    add_text(p, wish->known_hash);
    add_text(p, wish->home);
}

typedef struct Row {
    int64_t exact, uid, gid, enabled, expires;
    char name[NAME_SIZE], hash[ACCOUNT_HASH_SIZE], home[TABLE_HOME_MAX];
    unsigned long name_size, hash_size, home_size;
} Row;

static MYSQL_BIND result_number(int64_t *number) {
    return (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = number };
}

static MYSQL_BIND result_text(char *text, size_t size, unsigned long *length) {
    return (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_STRING, .buffer = text, .buffer_length = size - 1, .length = length };
}

#define ROW_COLUMNS 7

/* The first column of TABLE_LOOK says whether it is exactly that name, that of TABLE_LIST is the name. */
static void bind_row(Row *row, TableStatement s, MYSQL_BIND ret[static ROW_COLUMNS]) {
    ret[0] = s == TABLE_LOOK ? result_number(&row->exact) : result_text(row->name, sizeof(row->name), &row->name_size);
    ret[1] = result_text(row->hash, sizeof(row->hash), &row->hash_size);
    ret[2] = result_number(&row->uid);
    ret[3] = result_number(&row->gid);
    ret[4] = result_text(row->home, sizeof(row->home), &row->home_size);
    ret[5] = result_number(&row->enabled);
    ret[6] = result_number(&row->expires);
}

/* NULL leaves a buffer as it was: each row begins empty. A text that was cut off is none. */
static int next_row(Link *l, TableStatement s, Row *row, AccountTrouble *ret_trouble) {
    *row = (Row) { 0 };
    int r = link_fetch(l, s, ret_trouble);
    if (r <= 0)
        return r;
    row->name[row->name_size < sizeof(row->name) ? row->name_size : 0] = '\0';
    row->hash[row->hash_size < sizeof(row->hash) ? row->hash_size : 0] = '\0';
    row->home[row->home_size < sizeof(row->home) ? row->home_size : 0] = '\0';
    return 1;
}

/* 1: there is that row; 0: there is none. -EEXIST: there is one that the collation takes for it. */
static int look(Link *l, const char *name, Row *ret, AccountTrouble *ret_trouble) {
    _cleanup_free_ Row *row = malloc(sizeof(*row));
    Parameters p = { 0 };
    MYSQL_BIND results[ROW_COLUMNS];
    bool found = false, near = false;
    int r;

    if (!row)
        return -ENOMEM;
    add_text(&p, name);
    add_text(&p, name);
    bind_row(row, TABLE_LOOK, results);
    r = link_run(l, TABLE_LOOK, p.bind, results, NULL, ret_trouble);
    if (r < 0)
        return r;
    while ((r = next_row(l, TABLE_LOOK, row, ret_trouble)) > 0) {
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

static bool same_hash(const Row *row, const AccountWish *wish) {
    size_t size = wish->known_hash ? strlen(wish->known_hash) : 0;
    return size > 0 && row->hash_size == size && equal_constant_time(row->hash, wish->known_hash, size);
}

/* backend.h says whose a row is; OURS in table_shape.c says the same to the server. */
static bool is_ours(const Row *row, const AccountWish *wish) {
    return !wish->foreign && wish->known_hash && (same_hash(row, wish) || streq(row->home, wish->home));
}

/* ---- making ---- */

typedef struct Prepare {
    const AccountWish *wish;
    bool there;
    Row row;
} Prepare;

static int prepare_work(Mariadb *m, Link *l, void *userdata, AccountTrouble *ret_trouble) {
    Prepare *p = userdata;
    int r = look(l, p->wish->name, &p->row, ret_trouble);

    p->there = r > 0;
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
        r = with_link(m, prepare_work, p, ret_trouble);
    }
    if (r >= 0) {
        if (p->there && !is_ours(&p->row, wish))
            r = foreign_grant(p, &grant, ret_trouble);
        else if (!wish->foreign && wish->known_hash && wish->token_held)
            grant.kept = true;
        else {
            password_generate(grant.password);
            r = password_format_hash(m->settings->password_format, grant.password, grant.hash);
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

    add_text(&p, wish->name);
    add_text(&p, wish->known_hash);
    add_number(&p, wish->uid);
    add_number(&p, wish->gid);
    add_text(&p, wish->home);
    add_access(&p, l, wish);
    return link_run(l, TABLE_INSERT, p.bind, NULL, NULL, ret_trouble);
}

static int update(Link *l, const AccountWish *wish, AccountTrouble *ret_trouble) {
    Parameters p = { 0 };

    add_text(&p, wish->known_hash);
    add_number(&p, wish->uid);
    add_number(&p, wish->gid);
    add_text(&p, wish->home);
    add_access(&p, l, wish);
    add_ours(&p, wish);
    return link_run(l, TABLE_UPDATE, p.bind, NULL, NULL, ret_trouble);
}

static bool is_as_wished(const Link *l, const Row *row, const AccountWish *wish) {
    return same_hash(row, wish) && streq(row->home, wish->home) && row->uid == wish->uid && row->gid == wish->gid && (row->enabled != 0) == wish->enabled &&
           (!l->shape.expires || wish->expires == 0 || row->expires == wish->expires);
}

static int ensure_locked(Link *l, Ensure *e, AccountTrouble *ret_trouble) {
    const AccountWish *wish = e->wish;
    int r = look(l, wish->name, &e->row, ret_trouble);

    if (r < 0)
        return r;
    if (wish->foreign)
        return r > 0 ? 0 : -ENOENT;
    if (r == 0) {
        r = insert(l, wish, ret_trouble);
        e->changed = r >= 0;
        return r; /* -EEXIST: somebody was faster by a hair */
    }
    if (!is_ours(&e->row, wish))
        return trouble_set(ret_trouble, TROUBLE_NAME, "MariaDB: account %s is somebody else's", wish->name);
    if (is_as_wished(l, &e->row, wish))
        return 0;
    r = update(l, wish, ret_trouble);
    e->changed = r >= 0;
    return r;
}

static int locked(Mariadb *m, Link *l, const char *name, int (*work)(Link *l, void *userdata, AccountTrouble *ret_trouble), void *userdata,
                  AccountTrouble *ret_trouble) {
    int r = link_lock(l, name, m->settings->db_timeout / 2, ret_trouble);

    if (r < 0)
        return r;
    r = work(l, userdata, ret_trouble);
    link_unlock(l, name);
    return r;
}

static int ensure_now(Link *l, void *userdata, AccountTrouble *ret_trouble) {
    return ensure_locked(l, userdata, ret_trouble);
}

static int ensure_work(Mariadb *m, Link *l, void *userdata, AccountTrouble *ret_trouble) {
    Ensure *e = userdata;
    return locked(m, l, e->wish->name, ensure_now, e, ret_trouble);
}

static int mariadb_ensure(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble) {
    Ensure *e = calloc(1, sizeof(*e));
    int r = -ENOMEM;

    *ret_changed = false;
    if (e) {
        e->wish = wish;
        r = with_link((Mariadb *) b, ensure_work, e, ret_trouble);
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

static int change_now(Link *l, void *userdata, AccountTrouble *ret_trouble) {
    Change *c = userdata;
    Parameters p = { 0 };

    if (c->statement == TABLE_SET_ACCESS)
        add_access(&p, l, c->wish);
    add_ours(&p, c->wish);
    return link_run(l, c->statement, p.bind, NULL, &c->rows, ret_trouble);
}

static int change_work(Mariadb *m, Link *l, void *userdata, AccountTrouble *ret_trouble) {
    Change *c = userdata;
    return locked(m, l, c->wish->name, change_now, c, ret_trouble);
}

static int mariadb_set_access(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble) {
    Change c = { .wish = wish, .statement = TABLE_SET_ACCESS };
    int r = wish->foreign ? 0 : with_link((Mariadb *) b, change_work, &c, ret_trouble);

    *ret_changed = r >= 0 && c.rows > 0;
    return r;
}

static int mariadb_remove(AccountBackend *b, const AccountWish *wish, AccountTrouble *ret_trouble) {
    Change c = { .wish = wish, .statement = TABLE_REMOVE };
    return wish->foreign ? 0 : with_link((Mariadb *) b, change_work, &c, ret_trouble);
}

/* ---- looking around ---- */

typedef struct List {
    AccountRowWalk walk;
    void *userdata;
    char after[NAME_SIZE];
    int walked; /* what the walk said last */
    bool more;
    Row row;
} List;

static int list_page(Mariadb *m, Link *l, void *userdata, AccountTrouble *ret_trouble) {
    List *list = userdata;
    Parameters p = { 0 };
    MYSQL_BIND results[ROW_COLUMNS];
    int r;

    l->deadline_ms = deadline(m); /* of this page */
    list->more = false;
    add_text(&p, list->after);
    bind_row(&list->row, TABLE_LIST, results);
    r = link_run(l, TABLE_LIST, p.bind, results, NULL, ret_trouble);
    if (r < 0)
        return r;
    while (list->walked == 0 && (r = next_row(l, TABLE_LIST, &list->row, ret_trouble)) > 0) {
        const Row *row = &list->row;
        AccountRow seen = {
            .name = row->name,
            .home = row->home,
            .hash = row->hash,
            .uid = (uint32_t) row->uid,
            .gid = (uint32_t) row->gid,
            .enabled = row->enabled != 0,
            .expires = row->expires,
            .expires_kept = l->shape.expires,
        };
        list->more = true;
        memcpy(list->after, row->name, sizeof(list->after));
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
        r = with_link((Mariadb *) b, list_page, list, ret_trouble);
    while (r >= 0 && list->more && list->walked == 0);
    if (r >= 0)
        r = list->walked;
    free(list);
    return r;
}

static int probe_work(Mariadb *m, Link *l, void *userdata, AccountTrouble *ret_trouble) {
    return link_check_table(l, m->settings, ret_trouble);
}

static int mariadb_probe(AccountBackend *b, AccountTrouble *ret_trouble) {
    return with_link((Mariadb *) b, probe_work, NULL, ret_trouble);
}

static void mariadb_free(AccountBackend *b) {
    Mariadb *m = (Mariadb *) b;

    while (m->idle_n > 0)
        link_close(m->idle[--m->idle_n]);
    pthread_mutex_destroy(&m->mutex);
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

/* ---- before the start ---- */

static int refuse(char **ret_error, const char *format, ...) _printf_(2, 3);
static int refuse(char **ret_error, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    int r = vasprintf(ret_error, format, ap);
    va_end(ap);
    if (r >= 0)
        return -EINVAL;
    *ret_error = NULL;
    return -ENOMEM;
}

static int check_format(const Settings *s, char **ret_error) {
    const char *name = password_format_name(s->password_format), *weakness = password_format_weakness(s->password_format);

    if (!weakness || s->password_format == s->password_allowed)
        return 0;
    return refuse(ret_error, "FTP_PASSWORD_FORMAT=%s: %s. Use argon2 or crypt; who must have it all the same sets FTP_PASSWORD_ALLOW=%s too", name, weakness, name);
}

/* Hashes and names of accounts would cross a network in clear, and whoever sits in it could change them. */
static void warn_without_tls(const Settings *s, SettingsWarn warn, void *userdata) {
    static const char *const local[] = { "/", "127.", "localhost", "[::1]" };

    for (size_t i = 0; i < ELEMENTS(local); i++)
        if (has_prefix(s->db_host, local[i]))
            return;
    if (warn && s->db_tls == DATABASE_TLS_OFF)
        warn("FTP_DB_TLS=off, and FTP_DB_HOST is another machine: whoever is on the way reads and alters accounts", userdata);
}

static int read_pureftpd_conf(const char *path, char **ret, size_t *ret_size) {
    int r = read_credential(PUREFTPD_CREDENTIAL, PUREFTPD_CONF_MAX, ret);

    if (r >= 0 && !is_blank(*ret)) {
        *ret_size = strlen(*ret);
        return 0;
    }
    if (r >= 0)
        wipe_free(*ret);
    return read_file(path, PUREFTPD_CONF_MAX, ret, ret_size);
}

static int check_pureftpd(const Settings *s, SettingsWarn warn, void *userdata, char **ret_error) {
    const char *format = password_format_name(s->password_format), *path = s->pureftpd_conf;
    PureftpdConf conf = { 0 };
    char *text, reason[128];
    size_t size;

    if (!path)
        return 0;
    int r = read_pureftpd_conf(path, &text, &size);
    if (r < 0)
        return refuse(ret_error, "PUREFTPD_MYSQL_CONF: %s: %s. User tempoftp must be able to read it, or leave the setting empty", path,
                      strerror_r(-r, reason, sizeof(reason)));
    r = pureftpd_conf_parse(text, size, &conf);
    wipe(text, size); /* Pure-FTPd's own password is in it */
    free(text);
    if (r < 0 || conf.crypt[0] == '\0')
        return refuse(ret_error, "PUREFTPD_MYSQL_CONF: %s has no MYSQLCrypt, or more than one; it must be %s", path, format);
    if (!password_format_is_taken(s->password_format, conf.crypt))
        return refuse(ret_error, "FTP_PASSWORD_FORMAT=%s, but MYSQLCrypt is %s in %s: nobody could log in. Make them the same", format, conf.crypt, path);
    if (warn && !conf.asks_status)
        warn("PUREFTPD_MYSQL_CONF: MYSQLGetPW does not look at Status, so blocked accounts may log in; see sql/pureftpd-mysql.conf", userdata);
    if (warn && !conf.asks_expires)
        warn("PUREFTPD_MYSQL_CONF: MYSQLGetPW does not look at Expires, so accounts do not expire while tempoftp is stopped; see sql/pureftpd-mysql.conf", userdata);
    return 0;
}

int account_backend_mariadb_new(const Settings *settings, SettingsWarn warn, void *userdata, AccountBackend **ret, char **ret_error) {
    int r = check_format(settings, ret_error);

    if (r >= 0)
        r = check_pureftpd(settings, warn, userdata, ret_error);
    if (r < 0)
        return r;
    warn_without_tls(settings, warn, userdata);
    Mariadb *m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    if (mysql_library_init(0, NULL, NULL) != 0) { /* before threads call it */
        free(m);
        return -ENOMEM;
    }
    m->backend.v = &mariadb;
    m->settings = settings;
    pthread_mutex_init(&m->mutex, NULL);
    *ret = &m->backend;
    return 0;
}
