/* What happens to a request by itself: its copy is sized, ends, fails; it becomes ready; its days end. */
#pragma once

#include "api/change.h"

/* Ends a request in flight as `error`. run 0: whatever run it is at. */
void lifecycle_fail(Manager *m, uint64_t life, uint32_t run, Cause cause, const char *detail);
/* The copy is whole and its unit is gone: account, folder, listo. */
void lifecycle_finish(Manager *m, uint64_t life);
/* A transfer unit of that life and run has ended, as systemd reports it (any text may be ""). */
void lifecycle_transfer_ended(Manager *m, uint64_t life, uint32_t run, const char *result, const char *exit_code, const char *exit_status);
/* The transfer unit of that id is gone (UnitRemoved): finishes a whole copy at once, leaves everything else to the report. */
void lifecycle_unit_removed(Manager *m, const char *id);
/* Expires what is due. done(n) after all of it is settled; may be NULL. */
typedef void (*LifecycleExpired)(Manager *m, unsigned n, void *userdata);
void lifecycle_expire_due(Manager *m, LifecycleExpired done, void *userdata);
