/* The walk through X-Forwarded-For. Which proxies there are is told; what the address is for is not known here. */
#include "model/forwarded.h"

#include "basic/strings.h"
#include "model/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#define ENTRY_MAX 64 /* "[v6 address]:port" and some */

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

/* Takes the last entry off chain[0..*size), trimmed. -ENOENT: there is none left; -EINVAL: it is too long to be an address. */
static int take_last(const char *chain, size_t *size, char ret[static ENTRY_MAX]) {
    size_t end = *size, begin;

    if (end == 0)
        return -ENOENT;
    for (begin = end; begin > 0 && chain[begin - 1] != ','; begin--)
        ;
    *size = begin > 0 ? begin - 1 : 0;
    while (begin < end && is_space(chain[begin]))
        begin++;
    while (end > begin && is_space(chain[end - 1]))
        end--;
    if (end - begin >= ENTRY_MAX)
        return -EINVAL;
    memcpy(ret, chain + begin, end - begin);
    ret[end - begin] = '\0';
    return 0;
}

static int address_parse(const char *text, char ret[static ADDRESS_TEXT_MAX]) {
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        address_text((const struct sockaddr *) &v4, ret);
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        address_text((const struct sockaddr *) &v6, ret);
    else
        return -EINVAL;
    return 0;
}

/* "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711": some proxies add the port. In the spelling of address_text(). */
static int entry_parse(char *entry, char ret[static ADDRESS_TEXT_MAX]) {
    char *colon = strchr(entry, ':'), *bracket = strchr(entry, ']');

    if (entry[0] == '[' && bracket && (bracket[1] == '\0' || bracket[1] == ':')) {
        *bracket = '\0';
        entry++;
    } else if (colon && !strchr(colon + 1, ':'))
        *colon = '\0';
    return address_parse(entry, ret);
}

void forwarded_client(char *const *proxies, const char *peer, const char *chain, size_t size, char ret[static ADDRESS_TEXT_MAX]) {
    char entry[ENTRY_MAX];

    snprintf(ret, ADDRESS_TEXT_MAX, "%s", peer);
    for (size_t hops = 0; hops < FORWARDED_HOPS_MAX && networks_contain(proxies, ret); hops++)
        if (take_last(chain, &size, entry) < 0 || entry_parse(entry, ret) < 0)
            return;
}
