/* Stand-alone mode: the server as a program that an ordinary user starts, without systemd and tempoftpd. */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/listener.h"
#include "ftpd/options.h"

typedef struct Standalone {
    Listener *listener;
    AuthUsers *users;       /* the listener's, once it has them */
    const char *users_file; /* --users-file or NULL */
    char *root;             /* absolute */
} Standalone;

/* Takes the users and wipes their arguments: first of all, as anybody can read those. Logs what is wrong and what to do; -EINVAL: no account. */
int standalone_take_users(Standalone *s, Options *o) _must_use_;
/* Gives users and sockets to a listener that has nothing yet. Logs as above. */
int standalone_open(Standalone *s, Listener *l, const Options *o) _must_use_;
void standalone_done(Standalone *s);
