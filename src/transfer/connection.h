/* The one ssh connection to the source, that sizing and copying share. */
#pragma once

#include "model/cause.h"
#include "transfer/child.h"
#include "transfer/options.h"

#define PATH_SIZE 128 /* a control socket's path must fit sun_path */
#define DETAIL_SIZE 300

typedef struct Connection {
    char folder[PATH_SIZE]; /* private: holds the control socket */
    char control[PATH_SIZE];
    Child master;
} Connection;
#define CONNECTION_NONE ((Connection) { .master = CHILD_NONE })

/* Why something failed. */
typedef struct Failure {
    Cause cause;
    char detail[DETAIL_SIZE];
} Failure;

/* Tries the addresses in their order. key: path of the ssh key. 0; -ECONNABORTED with *ret_failure set; other errors are our own (memory, files). */
int connection_open(const Options *o, const char *key, Connection *ret, Failure *ret_failure) _must_use_;
void connection_close(Connection *c);
#define _cleanup_connection_ _cleanup_(connection_close)
