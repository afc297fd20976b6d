/* Stand-alone mode: the server as a program that an ordinary user starts, without systemd and tempoftpd. */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/listener.h"
#include "ftpd/options.h"

typedef struct Standalone {
    Listener *listener;
    char *passwords;        /* what --user gave, until standalone_take_users(): memory that no child inherits */
    AuthUsers *users;       /* the listener's, once it has them */
    const char *users_file; /* --users-file or NULL */
    char *root;             /* absolute */
} Standalone;

/* Moves the --user arguments from the command line, where anybody can read them, to memory of its own: before all else, and before any fork. */
int standalone_hide_users(Standalone *s, Options *o) _must_use_;
/* Hashes and wipes them. Logs what is wrong and what to do; -EINVAL: no account. */
int standalone_take_users(Standalone *s, const Options *o) _must_use_;
/* Gives users and sockets to a listener that has nothing yet. tls_key: where it lies; NULL: none. Logs as above. */
int standalone_open(Standalone *s, Listener *l, const Options *o, const char *tls_key) _must_use_;
void standalone_done(Standalone *s);
