/* How tempoftpd speaks to the account back end: on a lane of its own, so that a dead server holds up nothing else; in turns, so that of one account one
 * call is under way at a time and none overtakes another; and, while it is in trouble, again and again until what waits for it is done.
 *
 * Work about an account is begun and ended here; in between it may make any number of calls. What the work is (access.c, finish.c) is theirs. While anything
 * waits for the back end the service stays up: a timer of manager_after() holds it. After a kill or a reboot the state database knows what waits. */
#pragma once

#include "api/manager.h"
#include "api/turns.h"

/* One call of the back end: the first member of whatever needs it. run() is on a worker thread and sets r and trouble; done() is on the loop. */
typedef struct AccountCall {
    Manager *m;
    void (*run)(struct AccountCall *call);
    void (*done)(struct AccountCall *call);
    int r;
    AccountTrouble trouble;
    unsigned failures; /* seen when it was queued */
} AccountCall;

int account_calls_new(Manager *m, AccountCalls **ret) _must_use_;
/* Waits for calls under way; queued ones are dropped without done(). */
AccountCalls *account_calls_free(AccountCalls *c);
bool account_calls_are_idle(const AccountCalls *c);

/* What accounts are is kept outside the state database too, so changes have to be carried there. */
static inline bool accounts_are_outside(const Manager *m) {
    return m->accounts->v->outside;
}

/* granted() has the address's account to itself until account_work_end(); at once, or when others have ended. Holds the service. -ENOMEM. */
int account_work_begin(Manager *m, const char *email, TurnGranted granted, void *userdata) _must_use_;
/* r, trouble: what the back end said last (0 and NULL: nothing wrong). When it failed, account_calls' retry comes by itself. */
void account_work_end(Manager *m, const char *email, int r, const AccountTrouble *trouble);
/* Within work that has begun. done() is called in any case, never within this call: -EAGAIN when too many wait. */
void account_call(AccountCall *call);

/* 0, or how the back end failed last: -EAGAIN it is away, else it refuses. */
int account_calls_trouble(const Manager *m);
/* It has been found away since the last retry: the rest of what waits is left to the next one. */
bool account_calls_are_failing(const Manager *m);
/* It is in trouble and somebody is trying already: another try now would only wait. */
bool account_calls_are_stuck(const Manager *m);

/* Asks the back end whether it is there and fits, for ACCOUNT_PROBE_MS at most (then r is -EAGAIN). Within this call when accounts are not outside. */
#define ACCOUNT_PROBE_MS 2000
typedef void (*AccountProbed)(int r, void *userdata);
void account_probe(Manager *m, AccountProbed probed, void *userdata);
