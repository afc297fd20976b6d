/* Who did what: one row in the state database for each call that alters something, lets somebody in, or was refused. CONTRACT "Access"; read by
 * GET /api/auditoria.
 *
 * A row is on disk before its call is answered. What alters the state database appends it in the same transaction (audit_append() in its job): neither is there
 * without the other, whenever the process is killed. For all other calls reply_json() writes it and answers after the commit. */
#pragma once

#include "api/call.h"

/* A flood of refusals neither fills the disk nor the journal: past these a refusal is only counted (GET /metrics). */
#define AUDIT_REFUSALS_PER_CLIENT 60 /* a minute, of one address (IPv6: one /64) */
#define AUDIT_REFUSALS_PER_MINUTE 1000 /* of all together, from however many addresses */

/* How much of the trail is kept. */
AuditKeep audit_keep(const Settings *settings);
/* In a job of a detached call: its row. status: what will be answered once the job's group is on disk. target: NULL: the call's own. */
int audit_append(StoreTx *tx, Call *c, const char *target, int status) _must_use_;
/* Does that answer need a row that nobody has written yet? Counts refusals: to be asked once, by reply_json(). */
bool audit_admits(Call *c, int status);
/* May one more refusal of that address be written down? Counts it. */
bool audit_admits_refusal(Manager *m, const char *peer);
/* Its journal line: MESSAGE_ID_AUDIT. After the row. */
void audit_log(Call *c, int status);
