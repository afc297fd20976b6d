/* What follows from a change outside the database, in this order: stop the unit, move the folder, end the sessions, tell the account back end, arm or
 * disarm the timer, start the purge. Each step is idempotent: after a crash reconcile.c takes the same steps again. */
#pragma once

#include "api/change.h"

typedef void (*SettleDone)(Change *c);
void settle_change(Change *c, SettleDone done);

/* Tasks that are due (purges, revocations): starts them; called after every change, by timers and at start. */
void tasks_kick(Manager *m);
/* A purge unit has ended. */
void tasks_purge_ended(Manager *m, uint64_t life, const char *id, bool success, const char *detail);
/* A folder in .purge that no task may know of: starts its removal. */
void tasks_purge_orphan(Manager *m, const char *id, uint64_t life);
