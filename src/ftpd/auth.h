/* Who may log in: one interface, two sources (tempoftpd over the bus; the users of stand-alone mode).
 *
 * start() takes copies and answers through `done` exactly once, perhaps before it returns, unless the ticket is cancelled first. A ticket is
 * gone once `done` was called. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

typedef struct AuthAnswer {
    bool ok;
    const char *reason; /* for the journal: ok, unknown, password, expired, blocked */
    const char *home;   /* absolute */
    int64_t expira;     /* UTC seconds; INT64_MAX: never */
    const char *drop;   /* the folder below home that may be written in; "/": all of home; "" or NULL: none */
    uint64_t quota;     /* bytes that may lie in the drop; 0: no limit */
} AuthAnswer;

/* error 0 with an answer, or negative: nobody could be asked. */
typedef void (*AuthDone)(void *userdata, int error, const AuthAnswer *answer);
typedef struct AuthSource AuthSource;
typedef struct AuthTicket AuthTicket;

typedef struct AuthVtable {
    /* *ret_ticket is set before `done` can be called later, and is NULL when it was called already. */
    int (*start)(AuthSource *a, const char *user, const char *password, const char *peer, AuthDone done, void *userdata, AuthTicket **ret_ticket);
    void (*cancel)(AuthTicket *t);
    bool (*idle)(const AuthSource *a);
    void (*free)(AuthSource *a);
} AuthVtable;

struct AuthSource {
    const AuthVtable *v;
};

#define AUTH_IN_FLIGHT_MAX 64

/* org.tempoftp.Manager1.Authenticate, at most AUTH_IN_FLIGHT_MAX calls at a time, the rest in line. Homes outside data_path are refused. */
int auth_bus_new(sd_bus *bus, const char *data_path, AuthSource **ret) _must_use_;
/* The accounts of stand-alone mode; all have `root` as their home. Those that auth_users_add() gave stay, those of the file are replaced by each load. */
typedef struct AuthUsers AuthUsers;
int auth_users_new(AuthUsers **ret) _must_use_;
int auth_users_set_root(AuthUsers *u, const char *root) _must_use_;
/* "name:password"; -EINVAL, -EEXIST, -E2BIG. The text is the caller's to wipe. */
int auth_users_add(AuthUsers *u, const char *text, bool writes) _must_use_;
/* From a file (ftpd/users_file.h). Logs what is wrong, with the line; then all stays as it was. */
int auth_users_load(AuthUsers *u, const char *path) _must_use_;
size_t auth_users_count(const AuthUsers *u, size_t *ret_writing);
AuthSource *auth_users_source(AuthUsers *u);

AuthSource *auth_source_free(AuthSource *a);
DEFINE_CLEANUP(AuthSource, auth_source_free)
