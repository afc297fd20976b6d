/* Stays with the log for as long as something happens there. */
#pragma once

#include "xferlog/look.h"

/* Until the log was quiet for idle_seconds (0: for ever), or SIGTERM. Tells systemd when it is ready. 0, or a negative errno. */
int follow_log(Look *l, int idle_seconds) _must_use_;
