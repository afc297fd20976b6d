/* Who did what: one row in the state database for each call that alters something or was refused. CONTRACT "Access"; read by GET /api/auditoria. */
#pragma once

#include "api/call.h"

#define AUDIT_FAILURES_PER_MINUTE 60 /* of one client */
#define AUDIT_FAILURES_PER_MINUTE_ALL 1000 /* of all clients, from however many addresses */

/* Does that answer to that call belong into the trail? */
bool audit_wants(const Call *c, int status);
/* Queues the row; to be called once, when the answer is certain. It is on disk with the next commit. */
void audit_call(Call *c, int status);
