/* FTP sessions that should have ended already. */
#pragma once

#include "api/manager.h"

/* Asks the FTP server for its sessions and ends those whose account or request is closed. Nobody waits for it. */
void sessions_compare(Manager *m);
