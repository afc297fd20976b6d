/* The room in an account's drop folder, lent to its sessions: what one may put there no other one may. quota.h has the arithmetic.
 *
 * A session asks before it makes a name or a file grow, and gives back what it did not use. The folder is measured by one of those who ask, for a listener opens no
 * files; the others wait meanwhile. All of it is forgotten with the listener: the next one lends nothing before every session that may
 * write has said that it holds nothing, and then counts. */
#pragma once

#include "ftpd/quota.h"
#include "ftpd/wire.h"

typedef struct Listener Listener;
typedef struct Connection Connection;

/* A session's part, in its row. */
typedef struct Claim {
    Room held;     /* granted, and perhaps not used yet */
    bool unknown;  /* it may hold what an earlier listener granted */
    bool renaming; /* it moves names: they could be missed by a count */
    /* What it asks for. */
    bool asks, renames;
    bool counted;  /* a count has begun since */
    uint64_t patient_until_ms; /* not 0: for once it waits for what others hold and do not use */
    uint32_t serial;
    Room wanted;
} Claim;

typedef struct Drop Drop; /* of one account */

/* A session's messages. -EBADMSG: none of ours would say that. */
int lease_on_room(Listener *l, Connection *c, const WireRoom *m) _must_use_;
int lease_on_settle(Listener *l, Connection *c, const WireSettle *m) _must_use_;
int lease_on_counted(Listener *l, Connection *c, const WireCounted *m) _must_use_;
/* The pause that a question had to wait for may be over. */
void lease_resume(Connection *c);
void lease_on_gone(Listener *l, Connection *c);
void leases_done(Listener *l);
