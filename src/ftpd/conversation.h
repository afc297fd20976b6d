/* One control channel: commands read from it, replies written to it, and the table that says who answers what.
 *
 * Prelogin and Session begin with a Conversation; handlers cast it to what they serve. */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/command.h"
#include "ftpd/reply.h"
#include "model/settings.h"

#include <stdbool.h>

typedef struct Conversation {
    int fd;
    bool over; /* QUIT was answered */
    bool may_write;
    TlsMode tls_mode; /* what the server offers or demands */
    bool tls;         /* the client is behind a relay */
    bool pbsz, protect; /* PBSZ was given; PROT P holds */
    CommandReader reader;
} Conversation;

/* Answers one command with exactly one reply. 0, or a negative errno when the connection is no use any more. `argument` may be written to. */
typedef int (*VerbHandler)(Conversation *c, char *argument);

typedef enum VerbFlags {
    VERB_ARGUMENT = 1 << 0, /* 501 without one */
    VERB_WRITES = 1 << 1,   /* 550 in a read-only session */
} VerbFlags;

/* One row of the protocol. */
typedef struct Verb {
    const char *name;
    unsigned flags;
    VerbHandler before; /* login; NULL: 530 */
    VerbHandler after;  /* login; NULL: 502 */
    const char *help;   /* arguments */
} Verb;

const Verb *verb_find(const char *name); /* NULL: unknown */

/* Reads what has arrived. 1: something. 0: the client has closed. -EAGAIN, or the socket's error. */
int conversation_fill(Conversation *c) _must_use_;
/* Reads no further than the end of the first line, so that what follows stays in the socket for the next process. */
int conversation_fill_line(Conversation *c) _must_use_;
/* Answers the next whole command, if there is one. 1: answered. 0: none there. */
int conversation_answer(Conversation *c, bool logged_in) _must_use_;

/* Handlers that are the same before and after login. */
int conversation_quit(Conversation *c, char *argument);
int conversation_noop(Conversation *c, char *argument);
int conversation_syst(Conversation *c, char *argument);
int conversation_help(Conversation *c, char *argument);
int conversation_clnt(Conversation *c, char *argument);
int conversation_superfluous(Conversation *c, char *argument);
