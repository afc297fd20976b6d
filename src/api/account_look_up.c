/* From an address to its account. It reads; who makes an account of what it finds looks again inside his transaction. */
#include "api/account_look_up.h"

#include "crypto/digest.h"
#include "model/account.h"

#include <errno.h>

int account_look_up(Manager *m, const char *email, Account *ret, bool *ret_new) {
    uint8_t digest[32];
    int r = store_account_by_email(m->store, email, ret);

    *ret_new = r == -ENOENT;
    if (r != -ENOENT)
        return r;
    sha256(email, strlen(email), digest);
    for (size_t n = ACCOUNT_SUFFIX_MIN; n <= ACCOUNT_SUFFIX_MAX; n++) {
        _cleanup_account_ Account other = { 0 };
        r = account_name_make(email, digest, n, ret->name);
        if (r < 0)
            return r;
        r = store_account_by_name(m->store, ret->name, &other);
        if (r == -ENOENT) {
            strcpy(ret->email, email);
            return 0;
        }
        if (r < 0)
            return r;
    }
    return -EEXIST;
}
