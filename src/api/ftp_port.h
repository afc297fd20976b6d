/* Is somebody there at the FTP port, when that isn't tempoftp's own server? */
#pragma once

#include "model/settings.h"

/* Blocks, FTP_PORT_CONNECT_MS at most and the time to look up a name; for the pool. Pure-FTPd on this machine: whether a socket listens at TEMPOFTP_FTP_PORT;
 * nothing is sent to it. On other machines only (PUREFTPD_PROGRAM=/dev/null): whether TEMPOFTP_FTP_HOST takes a connection there. 0, -ECONNREFUSED or
 * another negative errno. */
#define FTP_PORT_CONNECT_MS 2000
int ftp_port_probe(const Settings *s) _must_use_;

/* Whether this line of /proc/net/tcp or tcp6 is a socket that listens at the port. Pure. Source: proc(5), proc_net_tcp.txt. */
bool ftp_port_line_listens(const char *line, uint16_t port);
