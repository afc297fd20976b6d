/* The rules for the single words of a request: id, address, group, X-Request-ID.
 *
 * Bytes in, yes or no out. Whether an id is taken or an address known is the store's business.
 *
 * Grammar of an address: local "@" domain, at most 254 bytes, ASCII only.
 *   local:  RFC 5322 dot-atom: atext and single dots, no dot first or last (no quoted strings, no comments)
 *   domain: labels [A-Za-z0-9-] joined by single dots, none beginning or ending with '-'. One label is enough: the
 *           original's own smoke test posts "alguien@dominio", and intranets have such names.
 * One address is one account, so what mail systems might treat alike (+tags, dots) stays different. */
#include "model/request.h"

#include "basic/strings.h"

static bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* [A-Za-z0-9._-]+ */
static bool is_word(const char *text) {
    for (const char *p = text; *p; p++)
        if (!is_alnum(*p) && !strchr("._-", *p))
            return false;
    return *text != '\0';
}

void request_done(Request *r) {
    free(r->ruta);
    free(r->message);
    r->ruta = r->message = NULL;
}

bool id_is_valid(const char *id) {
    return is_alnum(id[0]) && strlen(id) <= ID_MAX && is_word(id) && !strstr(id, "..") && !streq(id, "expired") &&
           !streq(id, "user");
}

bool group_is_valid(const char *group) {
    return is_alnum(group[0]) && strlen(group) <= GROUP_MAX && is_word(group);
}

bool request_header_id_is_valid(const char *id) {
    return strlen(id) <= REQUEST_ID_MAX && is_word(id);
}

static bool is_atext(char c) {
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_atom(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (text[i] == '.' ? i == 0 || i == size - 1 || text[i - 1] == '.' : !is_atext(text[i]))
            return false;
    return size > 0;
}

static bool is_domain(const char *text) {
    char before = '.';

    for (; *text; before = *text++) {
        if (*text == '.' ? before == '.' || before == '-' : !is_alnum(*text) && *text != '-')
            return false;
        if (*text == '-' && before == '.')
            return false;
    }
    return before != '.' && before != '-';
}

bool email_is_valid(const char *email) {
    const char *at = strchr(email, '@');
    return at && strlen(email) <= EMAIL_MAX && is_dot_atom(email, (size_t) (at - email)) && is_domain(at + 1);
}

void email_normalize(char *email) {
    for (; *email; email++)
        if (*email >= 'A' && *email <= 'Z')
            *email += 'a' - 'A';
}
