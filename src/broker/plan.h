/* Facts in, transient units out: what the broker asks systemd for, as data. Pure: no bus, no clock, no files.
 *
 * Every argument comes from a process that a stranger may have taken over, so each is checked again here against the rules of CONTRACT.md and
 * root's own settings. Errors: -EINVAL with *ret_reason (static) saying which argument; -ENOMEM. */
#pragma once

#include "model/settings.h"
#include "units/transient.h"

#define PLAN_ADDRESSES_MAX 16
#define PLAN_WHEN_MAX 253402300799 /* the year 9999 */

int plan_transfer(const Settings *s, const char *id, uint64_t life, uint32_t run, const char *ruta, char *const *addresses, const char *token,
                  TransientUnit *ret, const char **ret_reason) _must_use_;
/* kind: UNIT_PURGE, what was copied for a request; UNIT_DROP, what people put into a drop folder. Whose the files are follows from it. */
int plan_purge(const Settings *s, UnitKind kind, const char *id, uint64_t life, uint32_t run, TransientUnit *ret, const char **ret_reason) _must_use_;
#define PLAN_WHOSE_MAX 256 /* pairs in one order */
/* What is to be done about the sessions of Pure-FTPd. output: an fd, borrowed, that the answer is written to. */
typedef struct SessionsOrder {
    enum { SESSIONS_LIST, SESSIONS_END, SESSIONS_END_PROCESS } verb;
    char *const *whose; /* SESSIONS_END: account and id by turns; id "": all of the account's */
    uint32_t pid;       /* SESSIONS_END_PROCESS */
    int output;
} SessionsOrder;
int plan_sessions(const Settings *s, const SessionsOrder *order, TransientUnit *ret, const char **ret_reason) _must_use_;
/* An upload of what a request has. order: an fd, borrowed, from which it reads what to send where. */
typedef struct ExportPlan {
    const char *id, *account;
    uint64_t life;
    uint32_t n, run;
    char *const *addresses; /* of the destination, literal */
    int order;
} ExportPlan;
int plan_export(const Settings *s, const ExportPlan *p, TransientUnit *ret, const char **ret_reason) _must_use_;
/* The test of a destination; `output`: an fd, borrowed, that the answer is written to. */
int plan_probe(const Settings *s, uint64_t destination, char *const *addresses, int order, int output, TransientUnit *ret, const char **ret_reason) _must_use_;
/* now, when: UTC seconds. The timer's service has the same name. */
int plan_expiry(const char *id, uint64_t life, uint64_t when, uint64_t now, TransientUnit *ret_timer, TransientUnit *ret_service,
                const char **ret_reason) _must_use_;
