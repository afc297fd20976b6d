/* The trail of calls: what goes into it, and GET /api/auditoria. Its rows are not the truth about requests (that is in `events`, written with each
 * change): they say who came to the door and with what result. */
#include "api/audit.h"

#include "api/query.h"
#include "api/rates.h"
#include "api/reply.h"
#include "api/resources.h"
#include "api/route.h"
#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <stdio.h>

#define LIST_DEFAULT 100
#define ACTION_SIZE 64

bool audit_wants(const Call *c, int status) {
    return c->route && (!streq(c->route->method, "GET") || status == 401 || status == 403);
}

typedef struct AuditJob {
    int64_t at;
    int result;
    char actor[ACTOR_TEXT_MAX + 1], address[ADDRESS_TEXT_MAX], action[ACTION_SIZE], target[CALL_PARAM_MAX], request_id[REQUEST_ID_MAX + 1];
} AuditJob;

static int audit_job(StoreTx *tx, void *userdata) {
    const AuditJob *job = userdata;
    return tx_audit(tx, &(AuditRow) { .at = job->at, .actor = job->actor, .address = job->address, .action = job->action, .request_id = job->request_id,
                                      .target = job->target[0] ? job->target : NULL, .result = job->result });
}

static void audit_done(void *userdata, int r) {
    if (r < 0)
        log_errno(r, "Cannot write the audit trail, ignoring");
    free(userdata);
}

/* A flood of refusals must push neither the trail's past out nor others' writes: those past the limits are in the journal only. */
static bool refusal_counts(Call *c) {
    static const RateLimit each = { .calls = AUDIT_FAILURES_PER_MINUTE, .window_ms = 60000 };
    static const RateLimit all = { .calls = AUDIT_FAILURES_PER_MINUTE_ALL, .window_ms = 60000 };
    uint32_t wait;

    return rates_count(c->m->rates, "audit", c->peer, &each, &wait) &&
           rate_window_count(&c->m->refusals, &all, monotonic_ms(), &wait);
}

void audit_call(Call *c, int status) {

    if (!audit_wants(c, status))
        return;
    call_identify(c);
    if (status >= 400 && !refusal_counts(c))
        return;
    AuditJob *job = calloc(1, sizeof(*job));
    if (!job)
        return;
    job->at = manager_now(c->m);
    job->result = status;
    strcpy(job->actor, c->actor);
    strcpy(job->address, c->peer);
    snprintf(job->action, sizeof(job->action), "%s %s", c->route->method, c->route->path);
    strcpy(job->target, c->target[0] ? c->target : c->param);
    strcpy(job->request_id, c->request_id);
    int r = store_write(c->m->store, audit_job, audit_done, job);
    if (r < 0)
        audit_done(job, r);
}

/* ---- GET /api/auditoria ---- */

static int list_row(const AuditRow *row, void *userdata) {
    JsonWriter *w = userdata;

    json_object_open(w, NULL);
    json_integer(w, "n", (int64_t) row->n);
    json_time(w, "momento", row->at);
    json_string(w, "actor", row->actor);
    json_string(w, "direccion", row->address);
    json_string(w, "accion", row->action);
    json_string(w, "objeto", row->target);
    json_integer(w, "resultado", row->result);
    json_string(w, "request_id", row->request_id);
    json_object_close(w);
    return 0;
}

void audit_list(Call *c) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    uint64_t limit = LIST_DEFAULT, before = 0;

    if (!query_number(c, "limite", QUERY_LIST_MAX, &limit) || !query_number(c, "antes", INT64_MAX, &before))
        return;
    json_object_open(&w, NULL);
    json_array_open(&w, "registros");
    int r = store_list_audit(c->m->store, before, (size_t) limit, list_row, &w);
    json_array_close(&w);
    json_object_close(&w);
    if (r < 0)
        reply_errno(c, r);
    else
        reply_json(c, 200, &b);
}
