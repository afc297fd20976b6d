/* Comparing network addresses. No sockets are touched here. */
#include "ftpd/address.h"

#include <arpa/inet.h>
#include <string.h>

static struct in6_addr mapped(const struct in_addr *in) {
    struct in6_addr key = { 0 };

    key.s6_addr[10] = key.s6_addr[11] = 0xff;
    memcpy(&key.s6_addr[12], in, sizeof(*in));
    return key;
}

struct in6_addr address_key(const struct sockaddr *a) {
    struct in6_addr key = { 0 };

    if (a->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, a, sizeof(in6)); /* the caller's storage may be aligned for sockaddr only */
        key = in6.sin6_addr;
    } else if (a->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, a, sizeof(in));
        key = mapped(&in.sin_addr);
    }
    return key;
}

struct in6_addr address_key_parse(const char *text) {
    struct in6_addr key = { 0 };
    struct in_addr in;

    if (inet_pton(AF_INET, text, &in) == 1)
        return mapped(&in);
    if (inet_pton(AF_INET6, text, &key) != 1)
        memset(&key, 0, sizeof(key));
    return key;
}

void address_of_key(const struct in6_addr *key, struct sockaddr_storage *ret) {
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = *key };

    *ret = (struct sockaddr_storage) { 0 };
    if (!IN6_IS_ADDR_V4MAPPED(key)) {
        memcpy(ret, &in6, sizeof(in6));
        return;
    }
    memcpy(&in.sin_addr, &key->s6_addr[12], sizeof(in.sin_addr));
    memcpy(ret, &in, sizeof(in));
}

bool address_equal(const struct sockaddr *a, const struct sockaddr *b) {
    struct in6_addr x = address_key(a), y = address_key(b);
    return memcmp(&x, &y, sizeof(x)) == 0;
}

bool address_same_site(const struct in6_addr *a, const struct in6_addr *b) {
    return memcmp(a, b, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8) == 0;
}

bool address_is_ipv4(const struct sockaddr *a, struct in_addr *ret) {
    struct in6_addr key = address_key(a);

    if (!IN6_IS_ADDR_V4MAPPED(&key))
        return false;
    memcpy(ret, &key.s6_addr[12], sizeof(*ret));
    return true;
}
