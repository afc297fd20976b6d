/* For tests of the jail (meson -Dtakeover=true), and in no other build: clients drive pre-login children and sessions as an intruder would who runs
 * code of his own inside them. Elsewhere everything here is empty. */
#pragma once

#ifdef TEMPOFTP_TAKEOVER
#include "ftpd/conversation.h"

#define TAKEOVER_MARK " (takeover build: obeys any client, for tests of the jail only)"

/* "number [argument]…": a system call. Arguments are numbers, or @OFFSET: an address in a memory of the intruder's own. 200 with what the kernel returned. */
int takeover_call(Conversation *c, char *argument);
/* "address hex": into memory, @OFFSET or anywhere. */
int takeover_put(Conversation *c, char *argument);
/* "address size": out of it, 200 with hex. */
int takeover_get(Conversation *c, char *argument);
/* 200 with the addresses of that memory and of the stack. */
int takeover_where(Conversation *c, char *argument);

#define TAKEOVER_VERBS \
    { "XSYS", VERB_ARGUMENT, takeover_call, takeover_call, "" }, \
    { "XPUT", VERB_ARGUMENT, takeover_put, takeover_put, "" }, \
    { "XGET", VERB_ARGUMENT, takeover_get, takeover_get, "" }, \
    { "XWHERE", 0, takeover_where, takeover_where, "" },
#else
#define TAKEOVER_MARK ""
#define TAKEOVER_VERBS
#endif
