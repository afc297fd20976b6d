/* The embedded back end: tempoftp's own FTP server asks tempoftpd at every login, and tempoftpd
 * looks into its state database. So an account is nothing but a password and its hash, made here
 * once and remembered by the caller; who may log in, and until when, is compared at the login
 * itself. */
#include "accounts/backend.h"

#include "basic/strings.h"

#include <errno.h>
#include <string.h>

_Static_assert(PASSWORD_HASH_SIZE <= sizeof(((AccountGrant *) NULL)->hash), "a grant carries any hash of ours");

static int embedded_ensure(AccountBackend *b, const AccountWish *wish, AccountGrant *ret) {
    AccountGrant grant = { .kept = wish->known_hash && wish->token_held };
    char hash[PASSWORD_HASH_SIZE];
    int r;

    if (!grant.kept) {
        password_generate(grant.password);
        r = password_hash(grant.password, hash);
        if (r < 0) {
            wipe(&grant, sizeof(grant));
            return r;
        }
        memcpy(grant.hash, hash, sizeof(hash));
    }
    *ret = grant;
    wipe(&grant, sizeof(grant));
    return 0;
}

/* Nothing of an account is outside the state database: the request's new state, durable before
 * this call, was the change. */
static int embedded_set_access(AccountBackend *b, const char *name, bool enabled, int64_t expires, bool *ret_changed) {
    *ret_changed = false;
    return 0;
}

static int embedded_remove(AccountBackend *b, const char *name, bool foreign) {
    return 0;
}

static int embedded_probe(AccountBackend *b) {
    return 0;
}

static void embedded_free(AccountBackend *b) {
    free(b);
}

static const AccountBackendVtable embedded = {
    .name = "embedded",
    .ensure = embedded_ensure,
    .set_access = embedded_set_access,
    .remove = embedded_remove,
    .probe = embedded_probe,
    .free = embedded_free,
};

int account_backend_embedded_new(AccountBackend **ret) {
    AccountBackend *b = calloc(1, sizeof(*b));

    if (!b)
        return -ENOMEM;
    b->v = &embedded;
    *ret = b;
    return 0;
}
