/* What a worker's unit tells tempoftpd: calls of org.tempoftp.Manager1 (docs/INTERNALS.md) that survive restarts of tempoftpd and of the bus. Blocking. */
#pragma once

#include "basic/cleanup.h"

#include <stddef.h>
#include <stdint.h>

#define MANAGER_PATIENCE_SECONDS 900 /* how long a call that has to arrive is repeated */

typedef struct ManagerReport {
    const char *method;
    const char *token;       /* of the run: first argument */
    const uint64_t *numbers; /* n_numbers of them come next… */
    size_t n_numbers;
    const char *const *texts; /* …then these; NULL, or ended by NULL */
} ManagerReport;

/* 0; -ENOSPC (.NoSpace: stop, it is known), -ESTALE (an older run: stop, say nothing more), -EIO anything else for good, -ETIMEDOUT nobody answered for so
 * many seconds. 0 seconds: one try, which waits for its answer for 2 s. */
int manager_report(const ManagerReport *report, unsigned patience_seconds) _must_use_;
