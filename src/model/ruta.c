/* `ruta`, the source of a copy: "host:/path" or "user@host:/path", and the hosts that are allowed.
 *
 * The texts are the contract's, whole. Nothing here touches a network or a file, but for glibc's C.UTF-8 character table
 * when a path has letters beyond ASCII; a machine without that table refuses such paths. */
#include "basic/strings.h"
#include "model/request.h"
#include "model/texts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <strings.h>
#include <wctype.h>

static bool is_ascii_letter_or_digit(uint32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Host or user: [A-Za-z0-9._-]+, and no option to ssh. */
static bool is_name(const char *text) {
    for (const char *p = text; *p; p++)
        if (!is_ascii_letter_or_digit((unsigned char) *p) && !strchr("._-", *p))
            return false;
    return *text != '\0' && *text != '-';
}

/* Letters and the marks that belong to them (é is one code point or two), whatever the process's locale is. */
static bool is_letter(locale_t table, uint32_t point) {
    return table && (iswalpha_l(point, table) || iswctype_l(point, wctype_l("combining", table), table));
}

static bool path_characters_allowed(const char *path) {
    size_t size = strlen(path);
    locale_t table = (locale_t) 0;
    bool allowed = true;

    while (allowed && size > 0) {
        uint32_t point;
        int length = utf8_decode(path, size, &point);
        if (length < 0)
            allowed = false;
        else if (point < 0x80)
            allowed = is_ascii_letter_or_digit(point) || strchr(" /._-+=,:@%~", (int) point);
        else {
            if (!table)
                table = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
            allowed = is_letter(table, point);
        }
        if (allowed) {
            path += length;
            size -= (size_t) length;
        }
    }
    if (table)
        freelocale(table);
    return allowed;
}

/* The ':' between host and path: the first outside of a bracketed address. NULL when there is none. */
static const char *find_colon(const char *text) {
    const char *host = text + strcspn(text, "@:[/");
    host = *host == '@' ? host + 1 : text;
    if (*host == '[') {
        const char *close = strchr(host, ']');
        if (close)
            return close[1] == ':' ? close + 1 : NULL;
    }
    return strchr(text, ':');
}

void ruta_done(Ruta *r) {
    free(r->user);
    free(r->host);
    free(r->path);
    r->user = r->host = r->path = NULL;
}

/* Cuts "user@host" or "host" in two; -ENOMEM. */
static int split_authority(const char *text, size_t size, Ruta *r) {
    const char *at = memchr(text, '@', size);

    if (at) {
        r->user = strndup(text, (size_t) (at - text));
        if (!r->user)
            return -ENOMEM;
        size -= (size_t) (at + 1 - text);
        text = at + 1;
    }
    r->ipv6 = size >= 2 && text[0] == '[' && text[size - 1] == ']';
    r->host = r->ipv6 ? strndup(text + 1, size - 2) : strndup(text, size);
    return r->host ? 0 : -ENOMEM;
}

static const char *check(const Ruta *r) {
    struct in6_addr address;

    if (r->path[0] != '/')
        return TEXT_RUTA_NO_SLASH;
    if (r->user && (r->user[0] == '\0' || r->host[0] == '\0' || strchr(r->host, '@')))
        return TEXT_RUTA_USER_HOST;
    if (r->user && !is_name(r->user))
        return TEXT_RUTA_CHARACTERS;
    if (r->ipv6 ? inet_pton(AF_INET6, r->host, &address) != 1 : !is_name(r->host))
        return TEXT_RUTA_CHARACTERS;
    if (!path_characters_allowed(r->path) || path_climbs(r->path))
        return TEXT_RUTA_CHARACTERS;
    return NULL;
}

int ruta_parse(const char *text, Ruta *ret, const char **ret_text) {
    _cleanup_ruta_ Ruta r = { 0 };
    const char *colon = strlen(text) <= RUTA_MAX ? find_colon(text) : NULL;

    if (!colon || colon == text) {
        *ret_text = colon ? TEXT_RUTA_NO_HOST : TEXT_RUTA_FORM;
        return -EINVAL;
    }
    if (split_authority(text, (size_t) (colon - text), &r) < 0)
        return -ENOMEM;
    r.path = strdup(colon + 1);
    if (!r.path)
        return -ENOMEM;

    const char *wrong = check(&r);
    if (wrong) {
        *ret_text = wrong;
        return -EINVAL;
    }
    *ret = r;
    r = (Ruta) { 0 };
    return 0;
}

char *ruta_source_path(const Ruta *r, const char *id) {
    const char *last = strrchr(r->path, '/') + 1; /* a parsed path has one */
    char *path;

    return asprintf(&path, "%s%s", r->path, streq(last, id) ? "/" : "") < 0 ? NULL : path;
}

static bool is_same_host(const char *allowed, const char *host) {
    struct in6_addr a, b;
    char bare[INET6_ADDRSTRLEN];
    size_t size = strlen(allowed);

    if (strcasecmp(allowed, host) == 0)
        return true;
    /* IPv6 has many spellings; the list may have brackets, a parsed host has none. */
    if (size > 2 && size - 2 < sizeof(bare) && allowed[0] == '[' && allowed[size - 1] == ']') {
        memcpy(bare, allowed + 1, size - 2);
        bare[size - 2] = '\0';
        allowed = bare;
    }
    return inet_pton(AF_INET6, allowed, &a) == 1 && inet_pton(AF_INET6, host, &b) == 1 && memcmp(&a, &b, sizeof(a)) == 0;
}

bool origin_is_allowed(char *const *origins, const char *host) {
    if (!origins || !*origins)
        return true;
    for (; *origins; origins++)
        if (is_same_host(*origins, host))
            return true;
    return false;
}
