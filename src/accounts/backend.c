/* What every account back end shares: its end, whose a row is, and how it says what is wrong. Which one is used is the program's decision. */
#include "accounts/backend.h"

#include "accounts/trouble.h"
#include "basic/strings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

AccountBackend *account_backend_free(AccountBackend *b) {
    if (b)
        b->v->free(b);
    return NULL;
}

static bool has_hash(const AccountRow *row, const AccountWish *wish) {
    size_t size = wish->known_hash ? strlen(wish->known_hash) : 0;
    return size > 0 && strlen(row->hash) == size && equal_constant_time(row->hash, wish->known_hash, size);
}

bool account_row_is_ours(const AccountRow *row, const AccountWish *wish) {
    return !wish->foreign && wish->known_hash && (has_hash(row, wish) || streq(row->home, wish->home));
}

bool account_row_is_as_wished(const AccountRow *row, const AccountWish *wish) {
    return has_hash(row, wish) && streq(row->home, wish->home) && row->uid == wish->uid && row->gid == wish->gid && row->enabled == wish->enabled &&
           (!row->expires_kept || wish->expires == 0 || row->expires == wish->expires);
}

/* One line that any journal and JSON takes: texts of a server are not ours, and may be cut off within a character. */
static void make_plain(char *text) {
    bool is_utf8 = utf8_is_valid(text, strlen(text));

    for (unsigned char *p = (unsigned char *) text; *p; p++)
        if (*p < ' ' || *p == 0x7f || (*p >= 0x80 && !is_utf8))
            *p = *p == '\n' || *p == '\t' ? ' ' : '?';
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
    make_plain(ret->text);
    return -codes[kind];
}
