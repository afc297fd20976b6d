/* Networks in CIDR notation (RFC 4632, RFC 4291 section 2.3): what TEMPOFTP_PROXIES and TEMPOFTP_METRICS_FROM name, and whether an address is in one.
 *
 * IPv4 is held as IPv4-mapped IPv6, so that "::ffff:192.0.2.1", as a socket that takes both may tell it, is 192.0.2.1. Pure. */
#pragma once

#include "basic/cleanup.h"

#include <netinet/in.h>
#include <stdbool.h>

typedef struct Network {
    struct in6_addr address;
    unsigned bits; /* of address that count, 0 to 128 */
} Network;

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32"; bits past the prefix may be set, and do not count. -EINVAL. */
int network_parse(const char *text, Network *ret) _must_use_;
/* Is `address` in it? Without a prefix, as call_identify() tells it; "unix" and other words are in none. */
bool network_contains(const Network *n, const char *address);
#define SITE_TEXT_MAX 64
/* What one customer holds, as a key: of an IPv6 address its /64, anything else as it is. */
void network_site(const char *address, char ret[static SITE_TEXT_MAX]);
/* In one of a list that ends with NULL (NULL: an empty one); what is no network there contains nothing. */
bool networks_contain(char *const *networks, const char *address);
