/* The queue: at most TEMPOFTP_MAX_TRASLADOS requests in flight, first come first served, and the start of a request's unit. */
#pragma once

#include "api/manager.h"

#define RUNS_MAX 5            /* a unit that vanishes is started again so often */
#define RUN_PAUSE_FIRST 5     /* seconds before the second start, doubling */
/* Seconds to wait after the try of that number, from 1. */
static inline unsigned run_pause(unsigned run) {
    return RUN_PAUSE_FIRST << (run - 1);
}

/* Asks for a pass over the queue (at the next turn of the loop; many calls make one pass). */
void scheduler_kick(Manager *m);
/* Starts the unit of a request that is in flight without one (reboot, killed worker): same life, next run. */
void scheduler_restart(Manager *m, uint64_t life, uint64_t delay_ms);
