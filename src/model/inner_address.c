/* Tables of networks; RFC 6890, RFC 4291, RFC 6052 (NAT64), RFC 3056 (6to4). Who asks, and where own addresses come from, is not known here. */
#include "model/inner_address.h"

#include "basic/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static const struct {
    uint8_t bytes[4];
    unsigned bits;
} inner_v4[] = {
    { { 0 }, 8 }, { { 127 }, 8 }, { { 169, 254 }, 16 }, { { 224 }, 4 }, { { 240 }, 4 },
};

static const struct {
    uint8_t bytes[2];
    unsigned bits;
} inner_v6[] = { { { 0xfe, 0x80 }, 10 }, { { 0xff }, 8 } };

/* IPv6 networks whose addresses stand for an IPv4 one, and where in them it is. ::/96 has :: and ::1 too, which are inner as 0.0.0.0/8. */
static const struct {
    uint8_t bytes[12];
    unsigned bits, at;
} embedding[] = {
    { { 0 }, 96, 12 },
    { { [10] = 0xff, [11] = 0xff }, 96, 12 },
    { { 0x00, 0x64, 0xff, 0x9b }, 96, 12 },
    { { 0x20, 0x02 }, 16, 2 },
};

static bool matches(const uint8_t *a, const uint8_t *network, unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(a, network, whole) == 0 && (rest == 0 || ((a[whole] ^ network[whole]) >> (8 - rest)) == 0);
}

static void from_v4(const void *v4, InetAddress *ret) {
    *ret = (InetAddress) { { [10] = 0xff, [11] = 0xff } };
    memcpy(ret->bytes + 12, v4, 4);
}

int inet_address_parse(const char *text, InetAddress *ret) {
    struct in_addr v4;

    if (inet_aton(text, &v4))
        from_v4(&v4, ret);
    else if (inet_pton(AF_INET6, text, ret->bytes) != 1)
        return -EINVAL;
    return 0;
}

int inet_address_of(const struct sockaddr *sa, InetAddress *ret) {
    if (sa->sa_family == AF_INET)
        from_v4(&((const struct sockaddr_in *) (const void *) sa)->sin_addr, ret);
    else if (sa->sa_family == AF_INET6)
        memcpy(ret->bytes, &((const struct sockaddr_in6 *) (const void *) sa)->sin6_addr, sizeof(ret->bytes));
    else
        return -EAFNOSUPPORT;
    return 0;
}

static bool v4_is_inner(const uint8_t *v4) {
    for (size_t i = 0; i < ELEMENTS(inner_v4); i++)
        if (matches(v4, inner_v4[i].bytes, inner_v4[i].bits))
            return true;
    return false;
}

static bool is_own(const InetAddress *a, const InetAddress *own, size_t n_own) {
    for (size_t i = 0; i < n_own; i++)
        if (memcmp(a->bytes, own[i].bytes, sizeof(a->bytes)) == 0)
            return true;
    return false;
}

bool inet_address_is_inner(const InetAddress *a, const InetAddress *own, size_t n_own) {
    InetAddress within;

    if (is_own(a, own, n_own))
        return true;
    for (size_t i = 0; i < ELEMENTS(inner_v6); i++)
        if (matches(a->bytes, inner_v6[i].bytes, inner_v6[i].bits))
            return true;
    for (size_t i = 0; i < ELEMENTS(embedding); i++)
        if (matches(a->bytes, embedding[i].bytes, embedding[i].bits)) {
            from_v4(a->bytes + embedding[i].at, &within);
            if (v4_is_inner(within.bytes + 12) || is_own(&within, own, n_own))
                return true;
        }
    return false;
}
