/* One function per kind of value: text in, the member of Settings out, or -EINVAL. Nothing here knows which settings exist. */
#include "model/setting_value.h"

#include "basic/log.h"
#include "basic/strings.h"
#include "model/network.h"
#include "model/rate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

/* ---- numbers and words ---- */

int setting_bool(const Setting *s, const char *text, void *field) {
    return parse_bool(text, field);
}

static void store_integer(const Setting *s, uint64_t value, void *field) {
    switch (s->size) {
    case sizeof(uint16_t):
        *(uint16_t *) field = (uint16_t) value;
        break;
    case sizeof(uint32_t):
        *(uint32_t *) field = (uint32_t) value;
        break;
    default:
        *(uint64_t *) field = value;
        break;
    }
}

int setting_number(const Setting *s, const char *text, void *field) {
    uint64_t value;

    if (parse_u64(text, s->max, &value) < 0 || value < s->min)
        return -EINVAL;
    store_integer(s, value, field);
    return 0;
}

int setting_word(const Setting *s, const char *text, void *field) {
    for (size_t i = 0; s->words[i]; i++)
        if (strcasecmp(text, s->words[i]) == 0) {
            store_integer(s, i, field);
            return 0;
        }
    return -EINVAL;
}

int setting_log_level(const Setting *s, const char *text, void *field) {
    int level = log_level_parse(text);
    if (level < 0)
        return -EINVAL;
    *(int *) field = level;
    return 0;
}

int setting_rate(const Setting *s, const char *text, void *field) {
    return rate_limit_parse(text, field);
}

int setting_ports(const Setting *s, const char *text, void *field) {
    uint16_t *range = field;
    const char *dash = strchr(text, '-');
    char first[8];
    uint64_t low, high;

    if (!dash || (size_t) (dash - text) >= sizeof(first))
        return -EINVAL;
    memcpy(first, text, (size_t) (dash - text));
    first[dash - text] = '\0';
    if (parse_u64(first, UINT16_MAX, &low) < 0 || parse_u64(dash + 1, UINT16_MAX, &high) < 0 || low < 1024 || high < low)
        return -EINVAL;
    range[0] = (uint16_t) low;
    range[1] = (uint16_t) high;
    return 0;
}

/* ---- texts ---- */

static int store_text(const char *text, void *field) {
    char *copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    *(char **) field = copy;
    return 0;
}

int setting_secret(const Setting *s, const char *text, void *field) {
    return strlen(text) <= SETTING_TEXT_MAX ? store_text(text, field) : -EINVAL;
}

int setting_password(const Setting *s, const char *text, void *field) {
    return setting_secret(s, text, field);
}

/* A name for people: 1 to 64 bytes of UTF-8 without control characters. */
int setting_title(const Setting *s, const char *text, void *field) {
    size_t size = strlen(text);

    if (size > SETTING_TITLE_MAX || !utf8_is_valid(text, size))
        return -EINVAL;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char) text[i] < ' ' || text[i] == 0x7f)
            return -EINVAL;
    return store_text(text, field);
}

/* Absolute, one spelling: no "//", "." or ".." components; not "/" itself. */
int setting_path(const Setting *s, const char *text, void *field) {
    size_t size = strlen(text);

    if (text[0] != '/' || size > SETTING_TEXT_MAX || !utf8_is_valid(text, size))
        return -EINVAL;
    while (size > 1 && text[size - 1] == '/')
        size--;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char) text[i] < ' ' || text[i] == 0x7f)
            return -EINVAL;
        if (text[i] != '/')
            continue;
        size_t length = strcspn(text + i + 1, "/");
        if (length == 0 || (text[i + 1] == '.' && (length == 1 || (length == 2 && text[i + 2] == '.'))))
            return -EINVAL;
    }

    char *copy = strndup(text, size);
    if (!copy)
        return -ENOMEM;
    *(char **) field = copy;
    return 0;
}

/* A user or host: [A-Za-z0-9._-]+, not beginning with '-'. */
static bool is_name(const char *text) {
    for (const char *p = text; *p; p++)
        if (!(*p >= 'A' && *p <= 'Z') && !(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9') && !strchr("._-", *p))
            return false;
    return *text != '\0' && *text != '-' && strlen(text) <= 255;
}

static bool is_address(int family, const char *text) {
    struct in6_addr address; /* large enough for both */
    return inet_pton(family, text, &address) == 1;
}

static bool is_host(const char *text) {
    char bare[INET6_ADDRSTRLEN];
    size_t size = strlen(text);

    if (size > 2 && size - 2 < sizeof(bare) && text[0] == '[' && text[size - 1] == ']') {
        memcpy(bare, text + 1, size - 2);
        bare[size - 2] = '\0';
        return is_address(AF_INET6, bare);
    }
    return is_name(text) || is_address(AF_INET6, text);
}

int setting_name(const Setting *s, const char *text, void *field) {
    return is_name(text) ? store_text(text, field) : -EINVAL;
}

int setting_host(const Setting *s, const char *text, void *field) {
    return is_host(text) ? store_text(text, field) : -EINVAL;
}

int setting_server(const Setting *s, const char *text, void *field) {
    return text[0] == '/' ? setting_path(s, text, field) : setting_host(s, text, field);
}

int setting_ipv4(const Setting *s, const char *text, void *field) {
    return is_address(AF_INET, text) ? store_text(text, field) : -EINVAL;
}

/* ---- lists ---- */

static int store_list(const char *text, bool (*allowed)(const char *entry), void *field) {
    _cleanup_strv_ char **list = NULL;

    int r = strv_split(text, ',', SETTING_LIST_MAX, &list);
    if (r < 0)
        return r == -ENOMEM ? r : -EINVAL;
    for (char **p = list; *p; p++)
        if (!allowed(*p))
            return -EINVAL;
    *(char ***) field = TAKE_PTR(list);
    return 0;
}

static bool is_network(const char *text) {
    Network n;
    return network_parse(text, &n) >= 0;
}

/* RFC 6454: scheme, host, port, as browsers spell them: in lower case and without a path, or they would never match. Not "*": with TEMPOFTP_AUTH=off
 * any page in an operator's browser could then read everything. */
static bool is_web_origin(const char *text) {
    const char *host = has_prefix(text, "https://") ? text + 8 : has_prefix(text, "http://") ? text + 7 : NULL;

    return host && *host != '\0' && strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == strlen(host);
}

int setting_hosts(const Setting *s, const char *text, void *field) {
    return store_list(text, is_host, field);
}

int setting_networks(const Setting *s, const char *text, void *field) {
    return store_list(text, is_network, field);
}

int setting_web_origins(const Setting *s, const char *text, void *field) {
    return store_list(text, is_web_origin, field);
}

/* ---- what is allowed, in words ---- */

void setting_expected(const Setting *s, char ret[static SETTING_EXPECTED_SIZE]) {
    static const struct {
        SettingParse parse;
        const char *text;
    } texts[] = {
        { setting_bool, "1 or 0 (also yes, no, true, false, on, off, si)" },
        { setting_log_level, "debug, info, warning or error" },
        { setting_rate, "N/second, N/minute, N/hour or N/day, N at least 1" },
        { setting_ports, "a range of ports such as 50000-50999, from 1024 to 65535" },
        { setting_password, "at most 1024 bytes" },
        { setting_secret, "keys such as `tempoftp clave` prints, separated by commas" },
        { setting_title, "up to 64 bytes of text" },
        { setting_path, "an absolute path, not / itself, without . or .. in it" },
        { setting_name, "a name of letters, digits, '.', '_', '-'" },
        { setting_host, "a host name or an address" },
        { setting_server, "a host name, an address, or the path of a Unix socket" },
        { setting_ipv4, "an IPv4 address" },
        { setting_hosts, "host names or addresses, separated by commas" },
        { setting_networks, "addresses or networks such as 10.0.0.0/8, separated by commas" },
        { setting_web_origins, "origins such as https://portal.example.org, in lower case, separated by commas" },
    };

    ret[0] = '\0';
    if (s->parse == setting_number)
        snprintf(ret, SETTING_EXPECTED_SIZE, "a whole number from %" PRIu64 " to %" PRIu64, s->min, s->max);
    for (size_t i = 0, n = 0; s->words && s->words[i]; i++)
        if (s->words[i][0] && n < SETTING_EXPECTED_SIZE)
            n += (size_t) snprintf(ret + n, SETTING_EXPECTED_SIZE - n, "%s%s", n > 0 ? " or " : "", s->words[i]);
    for (size_t i = 0; i < ELEMENTS(texts); i++)
        if (texts[i].parse == s->parse)
            snprintf(ret, SETTING_EXPECTED_SIZE, "%s", texts[i].text);
}
