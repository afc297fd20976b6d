/* Makes the world agree with the database again: at every start, and by the sweep timer. DESIGN "The state machine". */
#pragma once

#include "api/manager.h"

void reconcile_start(Manager *m);
/* The same look around for a service that has been up for a while; does nothing when the last one is recent. */
void reconcile_sweep(Manager *m);
