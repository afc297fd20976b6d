/* What is counted while the service runs: calls, how long they took, logins. GET /metrics shows it, with what the state database sums up by itself.
 *
 * Counters live in memory of fixed size: one row for each route of the table and one for everything else, so nobody can make labels. At a clean end (idle exit, stop)
 * they are written down and the next process goes on with them. They are off the disk before the first scrape of a process is answered: after a kill
 * they begin at 0 then, a reset as Prometheus knows it, and never a little below what it saw, which it would take for one and count everything twice. */
#pragma once

#include "api/call.h"
#include "basic/buffer.h"

typedef enum LoginService { LOGIN_API, LOGIN_FTP, LOGIN_SERVICE_MAX } LoginService;
typedef enum LoginResult {
    LOGIN_OK,
    LOGIN_WRONG,    /* nobody of that name, or another password */
    LOGIN_INACTIVE, /* API: waits for an operator */
    LOGIN_EXPIRED,  /* FTP: the days are over */
    LOGIN_BLOCKED,
    LOGIN_BUSY,     /* the line before the hasher was full */
    LOGIN_ELSEWHERE, /* FTP: another server has the accounts */
    LOGIN_FAILED,   /* our own error */
    LOGIN_RESULT_MAX,
} LoginResult;

/* Goes on with what the last process left in the state database, if it had the same routes. */
int metrics_new(Store *store, Metrics **ret) _must_use_;
Metrics *metrics_free(Metrics *x);
DEFINE_CLEANUP(Metrics, metrics_free)
/* At a clean end. */
int metrics_save(Metrics *x, StoreTx *tx) _must_use_;

/* A call has its answer: how many, and how long it took. */
void metrics_answer(const Call *c, int status);
void metrics_login(Metrics *x, LoginService service, LoginResult result);
/* A refusal that is not in the audit trail. */
void metrics_unwritten(Metrics *x);

/* For GET /metrics (metrics_page.c). Appends every family that is counted here. */
void metrics_write(const Metrics *x, Buffer *to);
/* Is there something in the database that a kill would bring back? A job takes it off; afterwards nothing is. */
bool metrics_are_on_disk(const Metrics *x);
int metrics_take_off_job(StoreTx *tx, void *unused) _must_use_;
void metrics_taken_off(Metrics *x);
