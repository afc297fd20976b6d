/* The addresses of this machine's interfaces, as getifaddrs(3) lists them. */
#pragma once

#include "basic/cleanup.h"

#include <stddef.h>
#include <sys/socket.h>

/* Calls for each IPv4 and IPv6 address; stops and returns what the callback returns when that is not 0. Negative errno. */
typedef int (*OwnAddressWalk)(const struct sockaddr *address, void *userdata);
int own_addresses_walk(OwnAddressWalk walk, void *userdata) _must_use_;
