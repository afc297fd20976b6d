/* Accounts that live in the state database alone: the request's new state, durable before any of these calls, was the change. */
#include "accounts/stateless.h"

#include "basic/strings.h"

#include <errno.h>

_Static_assert(PASSWORD_HASH_SIZE <= ACCOUNT_HASH_SIZE, "a grant carries any hash of ours");

typedef struct Stateless {
    AccountBackend backend;
    StatelessHash hash;
} Stateless;

int stateless_prepare(AccountBackend *b, const AccountWish *wish, AccountGrant *ret, AccountTrouble *ret_trouble) {
    const Stateless *s = (const Stateless *) b;
    AccountGrant grant = { .kept = wish->known_hash && wish->token_held };
    int r = 0;

    if (!grant.kept) {
        password_generate(grant.password);
        r = s->hash(grant.password, grant.hash);
    }
    if (r >= 0)
        *ret = grant;
    wipe(&grant, sizeof(grant));
    return r;
}

int stateless_ensure(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble) {
    *ret_changed = false;
    return 0;
}

int stateless_set_access(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble) {
    *ret_changed = false;
    return 0;
}

int stateless_remove(AccountBackend *b, const AccountWish *wish, AccountTrouble *ret_trouble) {
    return 0;
}

int stateless_list(AccountBackend *b, AccountRowWalk walk, void *userdata, AccountTrouble *ret_trouble) {
    return 0;
}

int stateless_probe(AccountBackend *b, AccountTrouble *ret_trouble) {
    return 0;
}

void stateless_free(AccountBackend *b) {
    free(b);
}

int stateless_new(const AccountBackendVtable *v, StatelessHash hash, AccountBackend **ret) {
    Stateless *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->backend.v = v;
    s->hash = hash;
    *ret = &s->backend;
    return 0;
}
