/* Where FTP accounts live: one interface, back ends behind it (embedded: tempoftp's own FTP server asks tempoftpd; mariadb: a table that Pure-FTPd
 * reads; simulated).
 *
 * Every call may block and is made on a worker thread, never on the loop; any number of threads may call at the same time, at most one for the same
 * account. Each call takes a bounded time (FTP_DB_TIMEOUT, about twice of it at worst). Calls are idempotent: after a crash the same call is made again.
 *
 * An account is made in three steps, so that a kill between any two neither makes a second password nor makes our own row look like somebody else's:
 *   1. prepare()   finds out whose the account is and makes password and hash; changes nothing;
 *   2. the caller  writes hash and token down, durably (store.h, Account);
 *   3. ensure()    writes exactly that hash where logins look.
 * The state database keeps that hash until remove() has answered 0, so it knows every row of ours from before it is there until after it is gone. A row
 * is *ours* when the database says so (known_hash, not foreign) and it carries that hash, or that home (then somebody changed its password by hand: it
 * is set right). Any other is foreign: never written to, never removed.
 *
 * Errors: negative errno, and what an operator can do about it in *ret_trouble (all zero on success). -EAGAIN: the back end is away, nothing is lost, try
 * again later. -EEXIST: the name is somebody else's meanwhile: prepare again. -ENOENT: a foreign account is gone: prepare again. -EACCES, -EPERM,
 * -ENOTSUP: it will go on refusing until an operator mends what the trouble says. */
#pragma once

#include "basic/cleanup.h"
#include "crypto/password.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

#define ACCOUNT_HASH_SIZE 256 /* of a stored hash, ours or foreign, with its NUL */
#define ACCOUNT_TROUBLE_SIZE 2048

typedef struct AccountBackend AccountBackend;

typedef struct AccountWish {
    const char *name;
    const char *home;        /* absolute */
    uint32_t uid, gid;
    int64_t expires;         /* UTC seconds: when access ends (the latest of its requests); 0: leave what is there */
    bool enabled;            /* at least one request is listo */
    const char *known_hash;  /* what we wrote down for it, or NULL */
    bool token_held;         /* we hold the token of its password: keep both */
    bool foreign;            /* the state database knows it as somebody else's */
} AccountWish;

typedef struct AccountGrant {
    bool kept;                          /* known_hash and our token are still right: nothing new */
    bool foreign;                       /* it was there and is not ours: `hash` is its stored hash, there is no password */
    char password[PASSWORD_LENGTH + 1]; /* a new one (wipe it after encrypting), or empty */
    char hash[ACCOUNT_HASH_SIZE];       /* the new hash, or the foreign one */
} AccountGrant;

typedef enum AccountTroubleKind {
    TROUBLE_NONE,
    TROUBLE_AWAY,   /* the server does not answer, or can't now */
    TROUBLE_LOGIN,  /* it refuses us: user, password, address, TLS */
    TROUBLE_RIGHTS, /* a grant is lacking */
    TROUBLE_TABLE,  /* the table is not there or doesn't fit */
    TROUBLE_NAME,   /* the account's name is somebody else's */
    TROUBLE_OTHER,
} AccountTroubleKind;

typedef struct AccountTrouble {
    AccountTroubleKind kind;
    char text[ACCOUNT_TROUBLE_SIZE]; /* one line, English, for operators, never a secret: what is wrong and what to do, an ALTER TABLE to run */
} AccountTrouble;

/* A row as the back end has it. Texts live during the call only. */
typedef struct AccountRow {
    const char *name, *home, *hash; /* hash: compare, never log; "" when it has none or one longer than any of ours */
    uint32_t uid, gid;
    bool enabled;
    int64_t expires; /* UTC seconds; 0: none */
    bool expires_kept; /* the back end has a place for it */
} AccountRow;
/* 0: go on; else the walk stops and returns that value. */
typedef int (*AccountRowWalk)(const AccountRow *row, void *userdata);

/* Whose a row of that name is, as above; table_shape.c says the same to a server. Constant time for one hash. */
bool account_row_is_ours(const AccountRow *row, const AccountWish *wish);
/* Would ensure() have nothing to write? */
bool account_row_is_as_wished(const AccountRow *row, const AccountWish *wish);

typedef struct AccountBackendVtable {
    const char *name;
    bool outside; /* accounts live outside the state database too: every change has to be carried there */
    int (*prepare)(AccountBackend *b, const AccountWish *wish, AccountGrant *ret, AccountTrouble *ret_trouble);
    /* Makes the account as wished, with known_hash; a foreign one is left as it is. *ret_changed: something had to be written. */
    int (*ensure)(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble);
    /* Blocks, unblocks, extends, shortens (`enabled`, `expires`). *ret_changed (en_mysql): a row of ours outside the state database was found and has these
     * values now. */
    int (*set_access)(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble);
    /* Takes it away (name, home, known_hash, foreign); 0 also when it is not there or not ours. */
    int (*remove)(AccountBackend *b, const AccountWish *wish, AccountTrouble *ret_trouble);
    /* Every row of the back end, ours and others', by name; none where accounts live in the state database alone. */
    int (*list)(AccountBackend *b, AccountRowWalk walk, void *userdata, AccountTrouble *ret_trouble);
    /* Is it there, does it let us in, does it fit? */
    int (*probe)(AccountBackend *b, AccountTrouble *ret_trouble);
    void (*free)(AccountBackend *b);
} AccountBackendVtable;

struct AccountBackend {
    const AccountBackendVtable *v;
};

int account_backend_embedded_new(AccountBackend **ret) _must_use_;
int account_backend_simulated_new(AccountBackend **ret) _must_use_;
/* Chosen by FTP_DB_HOST being set. Connects at the first call, so a server that is away stops nothing. The settings must outlive it. -EINVAL: a setting, or
 * PUREFTPD_MYSQL_CONF, can't be: *ret_error (heap, caller frees) says what to change. What only should be otherwise is said through `warn` (may be NULL). */
int account_backend_mariadb_new(const Settings *settings, SettingsWarn warn, void *userdata, AccountBackend **ret, char **ret_error) _must_use_;
AccountBackend *account_backend_free(AccountBackend *b);
DEFINE_CLEANUP(AccountBackend, account_backend_free)
