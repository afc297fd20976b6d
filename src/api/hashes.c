/* Makes hashes anew, out of the password in the account's token, when logins need them in another form: FTP_PASSWORD_FORMAT is another one, or accounts
 * have moved from one back end to another. It knows no form; how a hash comes to where logins look is the access task's business. */
#include "api/hashes.h"

#include "api/account_calls.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "crypto/password_format.h"

#include <errno.h>

#define HASHES_NOTE "hashes"

typedef struct Renewal {
    Manager *m;
    StoreTx *tx;
    PasswordFormat format;
    unsigned renewed;
} Renewal;

static int put_hash(const Renewal *n, const Account *a, const char *hash) {
    Account renewed = *a;

    renewed.hash = (char *) hash;
    int r = tx_account_put(n->tx, &renewed);
    return r < 0 || !accounts_are_outside(n->m) ? r : tx_access_task_put(n->tx, a->name, utc_now(), NULL);
}

/* What no format of ours can have made (the simulator's) is let be. */
static int renew(const Account *a, char **ret_token, void *userdata) {
    Renewal *n = userdata;
    char *password, hash[PASSWORD_HASH_SIZE];
    PasswordFormat made;
    size_t size, key;

    if (a->foreign || !a->hash || password_format_find(a->hash, &made) < 0 || made == n->format)
        return 0;
    int r = fernet_decrypt(n->m->keys, a->token, utc_now(), 0, &password, &size, &key);
    if (r < 0)
        return r;
    r = password_format_hash(n->format, password, hash);
    wipe_free(password);
    if (r >= 0)
        r = put_hash(n, a, hash);
    wipe(hash, sizeof(hash));
    n->renewed += r >= 0;
    return r;
}

static int renew_job(StoreTx *tx, void *userdata) {
    Renewal *n = userdata;

    n->tx = tx;
    int r = tx_rotate_tokens(tx, renew, n);
    return r < 0 ? r : tx_note_put(tx, HASHES_NOTE, password_format_name(n->format));
}

int hashes_renew(Manager *m) {
    Renewal n = { .m = m, .format = accounts_are_outside(m) ? m->settings->password_format : PASSWORD_ARGON2 };
    _cleanup_free_ char *note = NULL;

    if (store_note(m->store, HASHES_NOTE, &note) >= 0 && streq(note, password_format_name(n.format)))
        return 0;
    int r = store_write_wait(m->store, renew_job, &n);
    if (r < 0)
        return log_errno(r, "Cannot make the accounts' hashes anew");
    if (n.renewed > 0)
        log_notice("%u account%s got a hash in the format %s; the password%s stay%s", n.renewed, n.renewed == 1 ? "" : "s", password_format_name(n.format),
                   n.renewed == 1 ? "" : "s", n.renewed == 1 ? "s" : "");
    return 0;
}
