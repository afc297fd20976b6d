/* The embedded back end: tempoftp's own FTP server asks tempoftpd at every login, and tempoftpd
 * looks into its state database. So an account is nothing but a password and its hash, made here
 * once and remembered by the caller; who may log in, and until when, is compared at the login
 * itself. */
#include "accounts/stateless.h"

static const AccountBackendVtable embedded = STATELESS_VTABLE("embedded");

int account_backend_embedded_new(AccountBackend **ret) {
    return stateless_new(&embedded, password_hash, ret);
}
