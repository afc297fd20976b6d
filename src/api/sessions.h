/* FTP sessions that should have ended already, or go on for longer than they know. */
#pragma once

#include "api/manager.h"

/* Asks the FTP server for its sessions and ends those whose account or request is closed; the others learn when their access ends. Nobody waits for it. */
void sessions_compare(Manager *m);
/* The same in a moment, because it could not be done now. Holds the service. */
void sessions_compare_later(Manager *m);
/* Ends the account's sessions if nobody may log in to it now. */
void sessions_end_closed(Manager *m, const char *account);
