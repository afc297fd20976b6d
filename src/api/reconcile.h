/* Makes the world agree with the database again: at every start, and by the sweep timer. DESIGN "The state machine". */
#pragma once

#include "api/manager.h"

void reconcile_start(Manager *m);
/* Called when nothing is under way and the service leaves because it is idle: what starts next in this boot need not look through all folders before the
 * next sweep. Inside a store job. */
int reconcile_rest(StoreTx *tx, const Manager *m) _must_use_;
/* The same look around for a service that has been up for a while; does nothing when the last one is recent. */
void reconcile_sweep(Manager *m);
