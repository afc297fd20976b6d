/* Settings that matter, in the audit trail: what an operator wrote into a file is no call, and is to be found beside the calls all the same. */
#pragma once

#include "api/manager.h"

/* At start: a row for each of them that has another value than at the last start, in the transaction that remembers the new ones. */
int setting_trail_write(Manager *m) _must_use_;
