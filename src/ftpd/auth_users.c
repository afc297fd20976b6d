/* The accounts of stand-alone mode: names and hashes from the command line and a file, one folder for all.
 *
 * Passwords are hashed as they come in and never kept. It answers at once: no hash is dearer than PASSWORD_WORK_MAX, which is about what forking the
 * session costs, so that neither a thread nor a queue of passwords is needed. */
#include "basic/fds.h"
#include "basic/log.h"
#include "basic/strings.h"
#include "crypto/password.h"
#include "ftpd/auth.h"
#include "ftpd/users_file.h"

#include <errno.h>
#include <sys/stat.h>

#define NAME_KEY_SIZE 16

struct AuthUsers {
    AuthSource source; /* first */
    char *root;
    UserTable table;
    size_t n_given;    /* of these, the first came from the command line */
    uint8_t name_key[NAME_KEY_SIZE];
};

static void table_done(UserTable *t) {
    if (t->users)
        wipe(t->users, t->n * sizeof(User));
    free(t->users);
    *t = (UserTable) { 0 };
}

static int table_new(UserTable *ret) {
    *ret = (UserTable) { .users = calloc(USERS_MAX, sizeof(User)) };
    return ret->users ? 0 : -ENOMEM;
}

/* ---- the question ---- */

/* Accounts may differ in cost. So that time does not tell which names exist, a name that doesn't is checked against an account's hash too: always the
 * same one for that name, which nobody can foretell. */
static const User *stand_in(const AuthUsers *u, const char *name) {
    uint8_t text[NAME_KEY_SIZE + WIRE_USER_SIZE] = { 0 }, digest[32];
    uint32_t number;

    memcpy(text, u->name_key, NAME_KEY_SIZE);
    memcpy(text + NAME_KEY_SIZE, name, strnlen(name, WIRE_USER_SIZE));
    sha256(text, sizeof(text), digest);
    memcpy(&number, digest, sizeof(number));
    return &u->table.users[number % u->table.n];
}

static int users_start(AuthSource *a, const char *user, const char *password, const char *peer, AuthDone done, void *userdata,
                       AuthTicket **ret_ticket) {
    AuthUsers *u = (AuthUsers *) a;
    const User *found = users_find(&u->table, user), *instead = stand_in(u, user);
    bool same = password_verify((found ? found : instead)->hash, password), ok = found && same;
    AuthAnswer answer = {
        .ok = ok,
        .reason = ok ? "ok" : found ? "password" : "unknown",
        .home = u->root,
        .expira = INT64_MAX,
        .drop = ok && found->writes ? "/" : "",
        .quota = ok ? found->quota : 0,
    };

    *ret_ticket = NULL;
    done(userdata, 0, &answer);
    return 0;
}

static void users_cancel(AuthTicket *t) {
}

static bool users_idle(const AuthSource *a) {
    return true;
}

static void users_free(AuthSource *a) {
    AuthUsers *u = (AuthUsers *) a;
    table_done(&u->table);
    free(u->root);
    wipe(u, sizeof(*u));
    free(u);
}

/* ---- the accounts ---- */

int auth_users_new(AuthUsers **ret) {
    static const AuthVtable vtable = { users_start, users_cancel, users_idle, users_free };

    AuthUsers *u = calloc(1, sizeof(*u));
    if (!u)
        return -ENOMEM;
    u->source.v = &vtable;
    random_bytes(u->name_key, sizeof(u->name_key));
    int r = table_new(&u->table);
    if (r < 0) {
        free(u);
        return r;
    }
    *ret = u;
    return 0;
}

int auth_users_set_root(AuthUsers *u, const char *root) {
    char *copy = strdup(root);
    if (!copy)
        return -ENOMEM;
    free(u->root);
    u->root = copy;
    return 0;
}

int auth_users_add(AuthUsers *u, const char *text, bool writes) {
    const char *colon = strchr(text, ':');
    User *new = &u->table.users[u->table.n];

    if (!colon || !user_name_is_valid(text, (size_t) (colon - text)) || colon[1] == '\0' || strlen(colon + 1) >= WIRE_PASSWORD_SIZE)
        return -EINVAL;
    if (u->table.n == USERS_MAX)
        return -E2BIG;
    *new = (User) { .writes = writes };
    memcpy(new->name, text, (size_t) (colon - text));
    if (users_find(&u->table, new->name))
        return -EEXIST;
    int r = password_hash(colon + 1, new->hash);
    if (r >= 0)
        u->n_given = ++u->table.n;
    return r;
}

static int read_users(const char *path, char **ret, size_t *ret_size) {
    struct stat st;

    if (stat(path, &st) < 0)
        return log_errno(-errno, "Cannot read the users file %s", path);
    if (!S_ISREG(st.st_mode)) { /* it is read again on SIGHUP */
        log_error("The users file %s is no ordinary file", path);
        return -EINVAL;
    }
    int r = read_file(path, USERS_FILE_MAX, ret, ret_size);
    if (r == -E2BIG)
        log_error("The users file %s is larger than %lu KiB", path, USERS_FILE_MAX >> 10);
    else if (r < 0)
        log_errno(r, "Cannot read the users file %s", path);
    else if (st.st_mode & (S_IRGRP | S_IROTH | S_IWGRP | S_IWOTH))
        log_warning("Other users of this machine may read or change %s: chmod 600 %s", path, path);
    return r;
}

int auth_users_load(AuthUsers *u, const char *path) {
    UserTable fresh;
    UsersFault fault;
    char *text;
    size_t size;

    int r = read_users(path, &text, &size);
    if (r < 0)
        return r;
    r = table_new(&fresh);
    if (r < 0)
        log_errno(r, "Cannot keep the users file %s", path);
    else {
        memcpy(fresh.users, u->table.users, u->n_given * sizeof(User));
        fresh.n = u->n_given;
        r = users_file_parse(text, size, &fresh, &fault);
        if (r < 0)
            log_error("%s, line %zu: %s", path, fault.line, fault.what);
        else if (fresh.n == 0) {
            log_error("%s names no account", path);
            r = -EINVAL;
        }
    }
    wipe(text, size);
    free(text);
    if (r >= 0) {
        table_done(&u->table);
        u->table = fresh;
    } else
        table_done(&fresh);
    return r;
}

size_t auth_users_count(const AuthUsers *u, size_t *ret_writing) {
    *ret_writing = 0;
    for (size_t i = 0; i < u->table.n; i++)
        *ret_writing += u->table.users[i].writes;
    return u->table.n;
}

AuthSource *auth_users_source(AuthUsers *u) {
    return &u->source;
}
