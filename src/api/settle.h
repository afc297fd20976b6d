/* What follows from a change outside the database, in this order: stop the unit, move the folder, tell the account back end, end the sessions, tell those
 * that go on until when, arm or disarm the timer, start the purge. Each step is idempotent: after a crash reconcile.c takes the same steps again. */
#pragma once

#include "api/change.h"

typedef void (*SettleDone)(Change *c);
void settle_change(Change *c, SettleDone done);

/* Tasks that are due (purges): starts them; called after every change, by timers and at start. */
void tasks_kick(Manager *m);
/* The unit of a TASK_PURGE or TASK_DROP has ended; run: which try it was, from 1. */
void tasks_purge_ended(Manager *m, TaskKind kind, uint64_t life, uint32_t run, const char *id, bool success, const char *detail);
/* A folder in .purge that no task may know of: starts its removal, unless a task does and waits for its next try. */
void tasks_purge_orphan(Manager *m, TaskKind kind, const char *id, uint64_t life);
/* Whether something that should be gone has withstood at least one try. */
bool tasks_are_failing(Manager *m);
