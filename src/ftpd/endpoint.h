/* Where a client wants its data connection: the arguments of PORT (RFC 959 section 5.3.2) and EPRT (RFC 2428 section 2). Pure. */
#pragma once

#include "basic/cleanup.h"

#include <netinet/in.h>
#include <stdint.h>

typedef struct Endpoint {
    struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
    uint16_t port;
} Endpoint;

/* "h1,h2,h3,h4,p1,p2": -EINVAL. */
int endpoint_parse_port(const char *text, Endpoint *ret) _must_use_;
/* "|1|203.0.113.5|6275|", "|2|2001:db8::1|6275|", with any printable delimiter: -EINVAL; -EPROTONOSUPPORT: neither 1 nor 2. */
int endpoint_parse_eprt(const char *text, Endpoint *ret) _must_use_;
