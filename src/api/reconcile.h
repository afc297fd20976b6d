/* Makes the world agree with the database again: at every start, and by the sweep timer. DESIGN "The state machine". */
#pragma once

#include "api/manager.h"

void reconcile_start(Manager *m);
