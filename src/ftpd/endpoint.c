/* Text from a stranger into address and port; whether anybody may connect there is decided elsewhere. */
#include "ftpd/endpoint.h"

#include "basic/strings.h"

#include <arpa/inet.h>

#define FIELDS 3 /* of EPRT: protocol, address, port */

static struct in6_addr mapped(const unsigned char bytes[static 4]) {
    struct in6_addr a = { 0 };

    a.s6_addr[10] = a.s6_addr[11] = 0xff;
    memcpy(&a.s6_addr[12], bytes, 4);
    return a;
}

/* A number of at most 3 digits up to 255, and what must stand after it. */
static int parse_byte(const char **text, char after, unsigned char *ret) {
    unsigned value = 0;
    size_t n = 0;

    while (n < 4 && (*text)[n] >= '0' && (*text)[n] <= '9')
        value = value * 10 + (unsigned) ((*text)[n++] - '0');
    if (n == 0 || n > 3 || value > 255 || (*text)[n] != after)
        return -EINVAL;
    *text += n + (after != '\0');
    *ret = (unsigned char) value;
    return 0;
}

int endpoint_parse_port(const char *text, Endpoint *ret) {
    unsigned char bytes[6];

    for (size_t i = 0; i < ELEMENTS(bytes); i++) {
        int r = parse_byte(&text, i + 1 < ELEMENTS(bytes) ? ',' : '\0', &bytes[i]);
        if (r < 0)
            return r;
    }
    *ret = (Endpoint) { .address = mapped(bytes), .port = (uint16_t) (bytes[4] << 8 | bytes[5]) };
    return 0;
}

/* "|a|b|c|" → three texts. */
static int split(const char *text, char fields[static FIELDS][INET6_ADDRSTRLEN]) {
    char delimiter = text[0];

    if (delimiter < 33 || delimiter > 126)
        return -EINVAL;
    text++;
    for (size_t i = 0; i < FIELDS; i++) {
        const char *end = strchr(text, delimiter);
        size_t n = end ? (size_t) (end - text) : 0;
        if (n == 0 || n >= INET6_ADDRSTRLEN)
            return -EINVAL;
        memcpy(fields[i], text, n);
        fields[i][n] = '\0';
        text = end + 1;
    }
    return *text == '\0' ? 0 : -EINVAL;
}

int endpoint_parse_eprt(const char *text, Endpoint *ret) {
    char fields[FIELDS][INET6_ADDRSTRLEN];
    struct in6_addr address;
    unsigned char bytes[4];
    uint64_t port;

    int r = split(text, fields);
    if (r < 0)
        return r;
    if (!streq(fields[0], "1") && !streq(fields[0], "2"))
        return -EPROTONOSUPPORT;
    bool v4 = fields[0][0] == '1';
    if (inet_pton(v4 ? AF_INET : AF_INET6, fields[1], v4 ? (void *) bytes : (void *) &address) != 1)
        return -EINVAL;
    if (parse_u64(fields[2], UINT16_MAX, &port) < 0)
        return -EINVAL;
    *ret = (Endpoint) { .address = v4 ? mapped(bytes) : address, .port = (uint16_t) port };
    return 0;
}
