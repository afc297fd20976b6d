/* FEAT and OPTS, which both sides of the login answer. RFC 2389, RFC 2640, RFC 3659. */
#pragma once

#include "ftpd/conversation.h"
#include "ftpd/listing.h"

/* The multi-line 211; `facts` are the ones MLSx will show. */
int extensions_reply(Conversation *c, unsigned facts) _must_use_;
/* "UTF8 ON" or "UTF8", any case. */
bool extensions_is_utf8(const char *argument);
