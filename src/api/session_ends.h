/* Ends of Pure-FTPd's sessions, gathered: one unit runs at a time, and what is asked for meanwhile goes with the next. So hundreds of accounts whose days end
 * in the same moment take few units. */
#pragma once

#include "api/manager.h"
#include "units/units.h"

typedef struct SessionEnds SessionEnds;

/* As pureftpd_end_sessions() of one pair, copied; reply() is called in any case. What is no name of an account has no sessions. */
void session_ends_add(Manager *m, const char *account, const char *id, uint32_t *ret_ended, UnitReply reply, void *userdata);
/* Replies to nobody any more. */
SessionEnds *session_ends_free(SessionEnds *e);
