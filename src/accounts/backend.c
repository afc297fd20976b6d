/* What every account back end shares: its end. Which one is used is the program's decision. */
#include "accounts/backend.h"

AccountBackend *account_backend_free(AccountBackend *b) {
    if (b)
        b->v->free(b);
    return NULL;
}
