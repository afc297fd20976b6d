/* Which account an address has, or will have. CONTRACT "Accounts": one per address, its name for ever. */
#pragma once

#include "api/manager.h"

/* The address's account; or (*ret_new) none yet: the name that it will have, longer when shorter ones belong to others, and nothing else. -EEXIST: every
 * name that it could have is taken. */
int account_look_up(Manager *m, const char *email, Account *ret, bool *ret_new) _must_use_;
