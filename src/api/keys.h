/* The Fernet keys that stored tokens are encrypted with. */
#pragma once

#include "api/manager.h"

/* At the start, once the store is open: reads TEMPOFTP_ENCRYPTION_KEY ("new,old") into m->keys; what the first key did not encrypt is encrypted anew, in one
 * transaction. -ENOKEY: not set; -EBADMSG: some token no key opens. Negative errno, logged with what to do. */
int keys_open(Manager *m) _must_use_;
