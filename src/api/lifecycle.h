/* What happens to a request by itself: its copy is sized, ends, fails; it becomes ready; its days end. */
#pragma once

#include "api/change.h"

/* Ends a request in flight as `error`. run 0: whatever run it is at. */
void lifecycle_fail(Manager *m, uint64_t life, uint32_t run, Cause cause, const char *detail);
/* The copy is whole and its unit is gone: account, folder, listo. */
void lifecycle_finish(Manager *m, uint64_t life);
/* Tries again for those that wait for the account back end. */
void lifecycle_finish_waiting(Manager *m);
bool lifecycle_something_waits(Manager *m);
/* Of a copy that was about to be `listo` when its commit failed, or we were killed: its folder goes back to where a DELETE looks for it. */
void lifecycle_take_back(Manager *m, const Request *r);
/* A transfer unit of that life and run has ended, as systemd reports it (any text may be ""). */
void lifecycle_transfer_ended(Manager *m, uint64_t life, uint32_t run, const char *result, const char *exit_code, const char *exit_status);
/* Its unit runs: watches it, to finish a whole copy the moment the unit has ended. Everything else is left to the report. */
void lifecycle_watch_unit(Manager *m, uint64_t life);
/* Expires what is due. done(n) after all of it is settled; may be NULL. */
typedef void (*LifecycleExpired)(Manager *m, unsigned n, void *userdata);
void lifecycle_expire_due(Manager *m, LifecycleExpired done, void *userdata);
