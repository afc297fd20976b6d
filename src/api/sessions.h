/* FTP sessions that should have ended already, or go on for longer than they know. */
#pragma once

#include "api/manager.h"

/* Asks the FTP server for its sessions and ends those whose account or request is closed; the others learn when their access ends. Nobody waits for it. */
void sessions_compare(Manager *m);
