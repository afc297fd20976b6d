/* The simulator's back end: real passwords, so that answers look as they will, for accounts that
 * no server knows. The hash says so: it is none, and no password matches it, should the
 * simulator's database ever meet a real login. */
#include "accounts/stateless.h"

#include <string.h>

#define HASH_OF_NO_PASSWORD "*" /* as in shadow(5) */

static int no_hash(const char *password, char ret[static PASSWORD_HASH_SIZE]) {
    memcpy(ret, HASH_OF_NO_PASSWORD, sizeof(HASH_OF_NO_PASSWORD));
    return 0;
}

static const AccountBackendVtable simulated = STATELESS_VTABLE("simulated");

int account_backend_simulated_new(AccountBackend **ret) {
    return stateless_new(&simulated, no_hash, ret);
}
