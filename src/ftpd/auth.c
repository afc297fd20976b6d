/* What every source of accounts has in common. */
#include "ftpd/auth.h"

AuthSource *auth_source_free(AuthSource *a) {
    if (a)
        a->v->free(a);
    return NULL;
}
