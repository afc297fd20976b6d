/* For tests of the jail (meson -Dtakeover=true), and in no other build: clients drive pre-login children, sessions and relays (and root, over a way of its
 * zygote, the keeper of the TLS key) as an intruder would who runs code of his own inside them. Elsewhere everything here is empty. */
#pragma once

#ifdef TEMPOFTP_TAKEOVER
#include "ftpd/conversation.h"

#define TAKEOVER_MARK " (takeover build: obeys any client, for tests of the jail only)"

/* "times number [argument]…": a system call, again until it fails. Arguments are numbers, or @OFFSET: an address in a memory of the intruder's own. 200
 * with what the kernel returned last. */
int takeover_call(Conversation *c, char *argument);
/* "address hex": into memory, @OFFSET or anywhere. */
int takeover_put(Conversation *c, char *argument);
/* "address size": out of it, 200 with hex. */
int takeover_get(Conversation *c, char *argument);
/* 200 with the addresses of that memory and of the stack. */
int takeover_where(Conversation *c, char *argument);

#define TAKEOVER_ANSWER_MAX 4200
/* "XRELAY" and one of these commands, whole in `data`: true, with the answer's line. Orders for the relay of a TLS client, which has no commands of its own. */
bool takeover_relay(const char *data, size_t size, char ret[static TAKEOVER_ANSWER_MAX]);

/* "XKEEPER" and one of them, over a socket that asks for a signature: true, answered, and the socket stays open. */
bool takeover_keeper(int fd);
#define TAKEOVER_KEEPER(fd) takeover_keeper(fd)

/* In the relay's loop: an order is answered over `link` instead of being passed on. */
#define TAKEOVER_RELAY(link, data, size) \
    { \
        char answer[TAKEOVER_ANSWER_MAX]; \
        if (takeover_relay(data, size, answer)) { \
            (void) !tls_link_send(link, answer, strlen(answer), false); \
            continue; \
        } \
    }
#define TAKEOVER_VERBS \
    { "XSYS", VERB_ARGUMENT, takeover_call, takeover_call, "" }, \
    { "XPUT", VERB_ARGUMENT, takeover_put, takeover_put, "" }, \
    { "XGET", VERB_ARGUMENT, takeover_get, takeover_get, "" }, \
    { "XWHERE", 0, takeover_where, takeover_where, "" },
#else
#define TAKEOVER_MARK ""
#define TAKEOVER_RELAY(link, data, size)
#define TAKEOVER_KEEPER(fd) false
#define TAKEOVER_VERBS
#endif
