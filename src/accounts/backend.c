/* What every account back end shares: its end, and how it says what is wrong. Which one is used is the program's decision. */
#include "accounts/backend.h"

#include "accounts/trouble.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

AccountBackend *account_backend_free(AccountBackend *b) {
    if (b)
        b->v->free(b);
    return NULL;
}

int trouble_set(AccountTrouble *ret, AccountTroubleKind kind, const char *format, ...) {
    static const int codes[] = {
        [TROUBLE_NONE] = 0,         [TROUBLE_AWAY] = EAGAIN,   [TROUBLE_LOGIN] = EACCES, [TROUBLE_RIGHTS] = EPERM,
        [TROUBLE_TABLE] = ENOTSUP,  [TROUBLE_NAME] = EEXIST,   [TROUBLE_OTHER] = EIO,
    };
    va_list ap;

    ret->kind = kind;
    va_start(ap, format);
    vsnprintf(ret->text, sizeof(ret->text), format, ap);
    va_end(ap);
    return -codes[kind];
}
