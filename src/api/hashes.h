/* Hashes of accounts in the form that logins are compared with now. */
#pragma once

#include "api/manager.h"

/* At the start, once the accounts are open: accounts whose hash was made for another FTP_PASSWORD_FORMAT, or another back end, get a new one of the same
 * password, and the back end is told. Others' accounts stay as they are. Negative errno, logged. */
int hashes_renew(Manager *m) _must_use_;
