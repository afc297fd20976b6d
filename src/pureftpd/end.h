/* Ends sessions of Pure-FTPd, and waits until they have ended. */
#pragma once

#include "pureftpd/process.h"

/* Whose sessions. */
typedef struct Whose {
    const char *account;   /* NULL: the session of process `pid`, which has to be one in the data path */
    const char *id;        /* "": all of the account's; else those that use that request: working folder or open file inside */
    pid_t pid;
    unsigned ended;        /* out: how many there were */
} Whose;

/* data_path: as realpath(3) gives it. Takes at most END_MAX_MS, and about two LOOK_PAUSE_MS where there is nothing to wait for. -ETIMEDOUT: some live on; -EPERM:
 * they may not be signalled. */
#define LOOK_PAUSE_MS 100
#define LOGIN_MAX_MS 1000 /* from the last answer of the database to the session's own root */
#define END_MAX_MS 5000
int sessions_end(const Program *program, const char *data_path, Whose *whose, size_t n) _must_use_;
