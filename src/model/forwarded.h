/* Who a reverse proxy says its client is: X-Forwarded-For, read from the right. Pure.
 *
 * Each proxy appends the address that it was called from, so what stands at the right was written by the one nearest to us; whatever stands left of the
 * first address that is no proxy of ours was written by that client and means nothing. RFC 7239's Forwarded is not read: proxies pass a client's on. */
#pragma once

#include "basic/fds.h"

#include <stddef.h>

#define FORWARDED_HOPS_MAX 16 /* proxies of ours one behind the other */

/* peer: who is connected; it is the answer unless it is in one of `proxies` (TEMPOFTP_PROXIES, ends with NULL; may be NULL).
 * chain: the header's value, several joined by commas in their order. What is no address ends the walk: the answer is the proxy that wrote it. */
void forwarded_client(char *const *proxies, const char *peer, const char *chain, size_t size, char ret[static ADDRESS_TEXT_MAX]);
