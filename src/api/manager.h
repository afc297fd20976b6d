/* tempoftpd's one Manager: what every room of the service shares. Everything here runs on the loop thread.
 *
 * Anything that is still owed an answer (a commit, a D-Bus reply, a pool job, a timer of ours) is counted in `pending` by
 * manager_hold()/manager_release(): the service exits only when nothing is. */
#pragma once

#include "accounts/backend.h"
#include "api/pool.h"
#include "basic/log.h"
#include "crypto/fernet.h"
#include "model/clock.h"
#include "model/settings.h"
#include "store/store.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct Server Server;
typedef struct Transfers Transfers;
typedef struct Watchers Watchers;
typedef struct Rates Rates;
typedef struct Answers Answers;
typedef struct AccountCalls AccountCalls;
typedef struct Accesses Accesses;
typedef struct AccountRows AccountRows;
typedef struct Gate Gate;
typedef struct Metrics Metrics;
typedef struct Docs Docs;
typedef struct Exports Exports;
typedef struct Certificate Certificate;

typedef struct Manager {
    Settings *settings;
    FernetKeys *keys;
    Store *store;
    AccountBackend *accounts;
    Pool *pool;
    Pool *hasher; /* passwords of users only: one thread, and a line before it that ends */
    sd_event *event;
    sd_bus *bus; /* NULL in the simulator */
    Certificate *certificate; /* NULL: nobody listens for TLS */
    Server *server;
    Transfers *transfers;
    Watchers *watchers;
    Rates *rates;
    RateWindow refusals; /* of all callers, that went into the trail (audit.c): not in `rates`, whose rows strangers push out */
    Answers *answers;
    AccountCalls *calls;   /* to the account back end */
    Accesses *accesses;    /* what it is being told */
    AccountRows *rows;     /* what it holds, compared */
    Gate *gate; /* who may */
    Metrics *metrics;
    int64_t started_utc;  /* UTC seconds */
    uint64_t active_ms;   /* monotonic: when somebody last wanted something; a scrape of GET /metrics does not count */
    unsigned scrapes;     /* being answered */
    Docs *docs; /* /openapi.json, once somebody has asked for it */
    Exports *exports; /* what is being sent on */
    uint64_t probing[4]; /* destinations that are being tried; 0: a free place (probe.c) */
    Clock clock;
    int data_fd; /* the data path; -EBADF in the simulator */
    struct Purging {
        uint64_t life; /* 0: a free place */
        TaskKind kind;
    } purging[4]; /* what purge units run for (tasks.c) */
    unsigned pending;
    struct Timer *timers; /* of manager_after() */
    unsigned n_timers;    /* how many of `pending` these are: nobody is owed them when the service is told to stop */
    unsigned timer_mends;   /* comparisons of expiry timers in a row because a call failed (expiry_timers.c) */
    bool timer_mend_waits;  /* the next of them has its moment */
    struct SessionEnds *session_ends; /* NULL until there is one (session_ends.c) */
    bool sessions_wait;     /* a comparison of sessions has its moment (sessions.c) */
    uint64_t reconciled_ms; /* when the world was compared last */
    uint64_t walked_ms;     /* when this process looked through the folders last; 0: never */
    bool folders_checked; /* in this boot, by this process or one that went idle before it; and every move has succeeded since */
    bool stopping;  /* SIGTERM: take nothing new, finish what is owed */
    bool released;  /* idle: the bus name is given back, listeners are closed */
    bool kick_due;  /* a scheduler pass is asked for */
} Manager;

static inline bool manager_is_simulator(const Manager *m) {
    return m->settings->simulacro;
}
static inline void manager_hold(Manager *m) {
    m->pending++;
}
static inline void manager_release(Manager *m) {
    m->pending--;
}

/* The clock for every decision about days: never runs backward (model/clock.h). UTC seconds. */
int64_t manager_now(Manager *m);
/* What tempoftpd itself does, for the audit trail. */
Actor manager_actor(Manager *m);
/* Runs `fire` once on the loop after delay_ms, holding the service alive until then, unless it is told to stop. userdata: NULL or malloc'd, `fire` gets
 * its ownership; an unfired timer frees it when the service ends. -ENOMEM. */
typedef void (*ManagerTimer)(Manager *m, void *userdata);
int manager_after(Manager *m, uint64_t delay_ms, ManagerTimer fire, void *userdata) _must_use_;
/* Those that have not fired never will. */
void manager_drop_timers(Manager *m);
