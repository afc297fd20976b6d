/* The listener's half of active mode: it connects to a session's client, and to nobody else. */
#pragma once

#include "ftpd/connection.h"
#include "ftpd/wire.h"

/* Answers with CONNECTED, now or later; one at a time, a new one ends the one before. -EBADMSG: no session of ours asks for that. */
int dial_start(Connection *c, const WireConnect *m) _must_use_;
/* Gives it up. */
void dial_end(Connection *c);
