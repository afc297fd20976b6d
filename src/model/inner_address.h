/* Addresses that no destination may have: of this machine, or reachable only from it. Pure; the machine's own addresses are a parameter.
 *
 * Every address is 16 bytes; IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct InetAddress {
    uint8_t bytes[16];
} InetAddress;

/* A literal address; also the spellings of IPv4 that resolvers take for one ("127.1", "0x7f000001"). -EINVAL: none. */
int inet_address_parse(const char *text, InetAddress *ret) _must_use_;
/* Of AF_INET or AF_INET6; -EAFNOSUPPORT. */
int inet_address_of(const struct sockaddr *sa, InetAddress *ret) _must_use_;

/* Loopback, link-local, "this network" and unspecified, multicast, broadcast, IPv4 addresses of these kinds within IPv6 ones (mapped, compatible, NAT64,
 * 6to4), and `own`: those of the machine's interfaces. */
bool inet_address_is_inner(const InetAddress *a, const InetAddress *own, size_t n_own);
