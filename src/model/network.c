/* Networks and the addresses in them. It knows nothing of who is trusted for what. */
#include "model/network.h"

#include "basic/strings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAPPED_BITS 96 /* of ::ffff:0:0/96 before an IPv4 address */

static int address_parse(const char *text, struct in6_addr *ret, bool *ret_v4) {
    struct in_addr v4;

    *ret_v4 = inet_pton(AF_INET, text, &v4) == 1;
    if (!*ret_v4)
        return inet_pton(AF_INET6, text, ret) == 1 ? 0 : -EINVAL;
    memset(ret, 0, sizeof(*ret));
    memset(ret->s6_addr + 10, 0xff, 2);
    memcpy(ret->s6_addr + 12, &v4, sizeof(v4));
    return 0;
}

int network_parse(const char *text, Network *ret) {
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchrnul(text, '/');
    size_t length = (size_t) (slash - text);
    Network n;
    bool v4;

    if (length >= sizeof(address))
        return -EINVAL;
    memcpy(address, text, length);
    address[length] = '\0';
    if (address_parse(address, &n.address, &v4) < 0)
        return -EINVAL;
    uint64_t bits = v4 ? 32 : 128;
    if (*slash && parse_u64(slash + 1, bits, &bits) < 0)
        return -EINVAL;
    n.bits = (unsigned) bits + (v4 ? MAPPED_BITS : 0);
    *ret = n;
    return 0;
}

bool network_contains(const Network *n, const char *address) {
    struct in6_addr a;
    bool v4;

    if (address_parse(address, &a, &v4) < 0)
        return false;
    unsigned bytes = n->bits / 8, rest = n->bits % 8;
    if (memcmp(a.s6_addr, n->address.s6_addr, bytes) != 0)
        return false;
    return rest == 0 || ((a.s6_addr[bytes] ^ n->address.s6_addr[bytes]) >> (8 - rest)) == 0;
}

void network_site(const char *address, char ret[static SITE_TEXT_MAX]) {
    char text[INET6_ADDRSTRLEN];
    struct in6_addr a;
    bool v4;

    if (address_parse(address, &a, &v4) < 0 || v4 || IN6_IS_ADDR_V4MAPPED(&a)) {
        snprintf(ret, SITE_TEXT_MAX, "%s", address);
        return;
    }
    memset(a.s6_addr + 8, 0, 8);
    snprintf(ret, SITE_TEXT_MAX, "%s/64", inet_ntop(AF_INET6, &a, text, sizeof(text)));
}

bool networks_contain(char *const *networks, const char *address) {
    Network n;

    for (; networks && *networks; networks++)
        if (network_parse(*networks, &n) >= 0 && network_contains(&n, address))
            return true;
    return false;
}
