/* The conversation before login, in a process of its own that can open nothing: a parser, two sockets and the right to end. */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/conversation.h"
#include "ftpd/session.h"
#include "ftpd/wire.h"

#include <stdint.h>

#define PRELOGIN_COMMANDS_MAX 100

typedef struct Prelogin {
    Conversation conversation; /* first: handlers cast */
    int wire_fd;
    bool named; /* USER was given */
    char user[WIRE_USER_SIZE];
} Prelogin;

/* Runs until login (the listener ends it), QUIT, or the end of patience. Uses CHILD_CONTROL_FD and CHILD_WIRE_FD. */
int prelogin_run(const SessionStart *start);

int prelogin_auth(Conversation *c, char *argument);
int prelogin_user(Conversation *c, char *argument);
int prelogin_pass(Conversation *c, char *argument);
int prelogin_feat(Conversation *c, char *argument);
int prelogin_opts(Conversation *c, char *argument);
int prelogin_rein(Conversation *c, char *argument);
int prelogin_unavailable(Conversation *c, char *argument);
