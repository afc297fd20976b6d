/* TEMPOFTP_SIMULACRO=1: the same API, state machine and database, but nothing is copied: sizes and free space are settings. */
#pragma once

#include "api/change.h"

#define SIMULATOR_FAILED "Fallo simulado (TEMPOFTP_SIM_FORCE=fail)"

/* Would a request fit now? What is in flight counts. */
bool simulator_fits(const Manager *m);
/* Takes a queued (or interrupted) request through its states, TEMPOFTP_SIM_DELAY_MS between them. */
void simulator_start(Manager *m, const Request *r);
