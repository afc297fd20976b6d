/* Active mode: the data connection goes from us to the client. RFC 959 (PORT), RFC 2428 (EPRT), RFC 2577 (whereto not).
 *
 * A session can't connect: its jail has no such call. It asks the listener, which connects to the address that it knows the client by, and to no other,
 * and hands the connection over. So nobody who takes a session over can use it to reach anybody else. */
#pragma once

#include "ftpd/session.h"

/* After PORT or EPRT: s->data is connected, or negative as data_accept(). */
int active_connect(Session *s) _must_use_;
/* The listener's answer; takes the fd (-EBADF: none came). */
void active_on_connected(Session *s, const WireConnected *m, int fd);
/* What PORT or EPRT said is forgotten. */
void active_reset(Session *s);
