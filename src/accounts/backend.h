/* Where FTP accounts live: one interface, back ends behind it (embedded: tempoftp's own FTP server asks tempoftpd; simulated; later MariaDB).
 *
 * Every call may block and is made on tempoftpd's worker pool, never on the loop, at most one at a time per account. Calls are idempotent: after a crash
 * the same call is made again. The state database remembers what a back end answers (store.h, Account).
 *
 * Errors: negative errno; -EAGAIN: the back end is away, try again later (nothing is lost). */
#pragma once

#include "basic/cleanup.h"
#include "crypto/password.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct AccountBackend AccountBackend;

typedef struct AccountWish {
    const char *name;
    const char *home;        /* absolute */
    uint32_t uid, gid;
    int64_t expires;         /* UTC seconds: when access ends (the latest of its requests) */
    bool enabled;            /* at least one request is listo */
    const char *known_hash;  /* what we stored for it, or NULL */
    bool token_held;         /* we hold the token of its password: keep both */
} AccountWish;

typedef struct AccountGrant {
    bool kept;                          /* it is there and our token is still right: nothing new */
    bool foreign;                       /* it was there and is not ours: `hash` is its stored hash, there is no password */
    char password[PASSWORD_LENGTH + 1]; /* a new one (wipe it after encrypting), or empty */
    char hash[256];                     /* the new hash, or the foreign one */
} AccountGrant;

typedef struct AccountBackendVtable {
    const char *name;
    /* Makes sure the account exists with these properties. */
    int (*ensure)(AccountBackend *b, const AccountWish *wish, AccountGrant *ret);
    /* Blocks, unblocks, extends, shortens. *ret_changed (en_mysql): a row outside our own database was found and updated. */
    int (*set_access)(AccountBackend *b, const char *name, bool enabled, int64_t expires, bool *ret_changed);
    /* Takes it away; 0 also when it is not there; a foreign one is left. */
    int (*remove)(AccountBackend *b, const char *name, bool foreign);
    int (*probe)(AccountBackend *b);
    void (*free)(AccountBackend *b);
} AccountBackendVtable;

struct AccountBackend {
    const AccountBackendVtable *v;
};

int account_backend_embedded_new(AccountBackend **ret) _must_use_;
int account_backend_simulated_new(AccountBackend **ret) _must_use_;
AccountBackend *account_backend_free(AccountBackend *b);
DEFINE_CLEANUP(AccountBackend, account_backend_free)
