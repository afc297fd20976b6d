/* Whom a process talks to: the other end of its first TCP connection, as /proc tells it. */
#pragma once

#include "pureftpd/process.h"

#define PEER_SIZE 64

/* "203.0.113.5", "2001:db8::1" (v4-mapped shown as v4), or "" when it has none. */
void process_peer(const Process *p, char ret[static PEER_SIZE]);

/* One line of /proc/PID/net/tcp or tcp6: the other end's address when it is an established connection of that socket. Pure. -ENOENT: another line; -EINVAL:
 * none. Source: proc(5), proc_net_tcp.txt: addresses are hexadecimal words in the machine's byte order. */
int peer_parse(const char *line, uint64_t socket, char ret[static PEER_SIZE]) _must_use_;
