/* The accounts of stand-alone mode: names and hashes from the command line, one folder for all.
 *
 * It answers at once: the hashes are of the lowest cost. Passwords are hashed as they come in and never kept. */
#include "basic/strings.h"
#include "crypto/password.h"
#include "ftpd/auth.h"
#include "ftpd/wire.h"

#include <errno.h>

#define USERS_MAX 64

typedef struct User {
    char name[WIRE_USER_SIZE];
    char hash[PASSWORD_HASH_SIZE];
} User;

struct AuthUsers {
    AuthSource source; /* first */
    char *root;
    const char *drop; /* as in AuthAnswer */
    size_t n;
    User users[USERS_MAX];
};

static const User *find(const AuthUsers *u, const char *name) {
    for (size_t i = 0; i < u->n; i++)
        if (streq(u->users[i].name, name))
            return &u->users[i];
    return NULL;
}

static int users_start(AuthSource *a, const char *user, const char *password, const char *peer, AuthDone done, void *userdata,
                       AuthTicket **ret_ticket) {
    AuthUsers *u = (AuthUsers *) a;
    const User *found = find(u, user);
    bool ok = password_verify(found ? found->hash : NULL, password);
    AuthAnswer answer = { .ok = ok, .reason = ok ? "ok" : found ? "password" : "unknown", .home = u->root, .expira = INT64_MAX, .drop = u->drop };

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
    free(u->root);
    wipe(u, sizeof(*u));
    free(u);
}

int auth_users_new(const char *root, bool write, AuthUsers **ret) {
    static const AuthVtable vtable = { users_start, users_cancel, users_idle, users_free };

    AuthUsers *u = calloc(1, sizeof(*u));
    if (!u)
        return -ENOMEM;
    u->source.v = &vtable;
    u->drop = write ? "/" : "";
    u->root = strdup(root);
    if (!u->root) {
        free(u);
        return -ENOMEM;
    }
    *ret = u;
    return 0;
}

int auth_users_add(AuthUsers *u, const char *text) {
    const char *colon = strchr(text, ':');
    User *new = &u->users[u->n];

    if (!colon || colon == text || (size_t) (colon - text) >= sizeof(new->name) || colon[1] == '\0' ||
        strlen(colon + 1) >= WIRE_PASSWORD_SIZE)
        return -EINVAL;
    if (u->n == USERS_MAX)
        return -E2BIG;
    memcpy(new->name, text, (size_t) (colon - text));
    new->name[colon - text] = '\0';
    if (find(u, new->name))
        return -EEXIST;
    int r = password_hash(colon + 1, new->hash);
    if (r >= 0)
        u->n++;
    return r;
}

AuthSource *auth_users_source(AuthUsers *u) {
    return &u->source;
}
