/* What the worker tells tempoftpd: org.tempoftp.Manager1, docs/INTERNALS.md. The run token says whom it is about.
 *
 * tempoftpd may be on its way down or up: calls are repeated (units/manager_report.h). Blocking; SIGTERM ends the worker by itself. */
#pragma once

#include "transfer/connection.h"

#include <stdint.h>

/* All: 0, or -ENOSPC (.NoSpace: stop, it is known), -ESTALE (an older run: stop, say nothing more), -EIO anything else for good. */
int report_sized(const char *token, uint64_t bytes, uint64_t files, uint64_t needed) _must_use_;
int report_done(const char *token, uint64_t bytes, uint64_t files) _must_use_;
int report_failed(const char *token, const Failure *f) _must_use_;
