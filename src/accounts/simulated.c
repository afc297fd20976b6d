/* The simulator's back end: real passwords, so that answers look as they will, for accounts that
 * no server knows. The hash says so: it is none, and no password matches it, should the
 * simulator's database ever meet a real login. */
#include "accounts/backend.h"

#include "basic/strings.h"

#include <errno.h>

#define HASH_OF_NO_PASSWORD "*" /* as in shadow(5) */

static int simulated_ensure(AccountBackend *b, const AccountWish *wish, AccountGrant *ret) {
    AccountGrant grant = { .kept = wish->known_hash && wish->token_held };

    if (!grant.kept) {
        password_generate(grant.password);
        memcpy(grant.hash, HASH_OF_NO_PASSWORD, sizeof(HASH_OF_NO_PASSWORD));
    }
    *ret = grant;
    wipe(&grant, sizeof(grant));
    return 0;
}

static int simulated_set_access(AccountBackend *b, const char *name, bool enabled, int64_t expires, bool *ret_changed) {
    *ret_changed = false;
    return 0;
}

static int simulated_remove(AccountBackend *b, const char *name, bool foreign) {
    return 0;
}

static int simulated_probe(AccountBackend *b) {
    return 0;
}

static void simulated_free(AccountBackend *b) {
    free(b);
}

static const AccountBackendVtable simulated = {
    .name = "simulated",
    .ensure = simulated_ensure,
    .set_access = simulated_set_access,
    .remove = simulated_remove,
    .probe = simulated_probe,
    .free = simulated_free,
};

int account_backend_simulated_new(AccountBackend **ret) {
    AccountBackend *b = calloc(1, sizeof(*b));

    if (!b)
        return -ENOMEM;
    b->v = &simulated;
    *ret = b;
    return 0;
}
