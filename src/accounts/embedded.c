/* The embedded back end: tempoftp's own FTP server asks tempoftpd at every login, and tempoftpd
 * looks into its state database. So an account is nothing but a password and its hash, made here
 * once and remembered by the caller; who may log in, and until when, is compared at the login
 * itself. */
#include "accounts/stateless.h"

static int embedded_prepare(AccountBackend *b, const AccountWish *wish, AccountGrant *ret, AccountTrouble *ret_trouble) {
    return stateless_prepare(wish, password_hash, ret);
}

static const AccountBackendVtable embedded = {
    .name = "embedded",
    .prepare = embedded_prepare,
    .ensure = stateless_ensure,
    .set_access = stateless_set_access,
    .remove = stateless_remove,
    .list = stateless_list,
    .probe = stateless_probe,
    .free = stateless_free,
};

int account_backend_embedded_new(AccountBackend **ret) {
    return stateless_new(&embedded, ret);
}
