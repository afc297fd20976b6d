/* The process between a TLS client and those who serve it: TLS on one side, plain FTP through a socket pair on the other, from AUTH TLS to the end.
 *
 * Behind the pair the pre-login child and later the session serve as if there were no TLS. The relay understands no FTP, and bytes that were sent
 * before the handshake are no TLS: none of them can become a command. */
#pragma once

#include "ftpd/tls.h"

/* Uses CHILD_CONTROL_FD (the client), RELAY_INNER_FD and, when `server` has no key of its own, RELAY_KEEPER_FD. */
int relay_run(TlsServer *server, const uint8_t ticket_key[static TLS_TICKET_KEY_SIZE]);
