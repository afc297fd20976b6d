/* Network addresses as keys: IPv4 and IPv4-mapped IPv6 are the same peer. */
#pragma once

#include "basic/cleanup.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* The address without port, IPv4 as ::ffff:a.b.c.d; :: for anything that is no IP address. */
struct in6_addr address_key(const struct sockaddr *a);
/* Of "203.0.113.5" or "2001:db8::1". */
struct in6_addr address_key_parse(const char *text);
/* The other way, without port. */
void address_of_key(const struct in6_addr *key, struct sockaddr_storage *ret);
bool address_equal(const struct sockaddr *a, const struct sockaddr *b);
/* What one customer usually holds: an IPv4 address, an IPv6 /64. */
bool address_same_site(const struct in6_addr *a, const struct in6_addr *b);
/* IPv4 or IPv4-mapped? */
bool address_is_ipv4(const struct sockaddr *a, struct in_addr *ret);
