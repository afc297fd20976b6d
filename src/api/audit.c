/* The trail of calls: what goes into it, its lines in the journal, and GET /api/auditoria. */
#include "api/audit.h"

#include "api/metrics.h"
#include "api/query.h"
#include "api/rates.h"
#include "api/reply.h"
#include "api/resources.h"
#include "api/route.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/messages.h"

#include <errno.h>
#include <stdio.h>

#define LIST_DEFAULT 100
#define ACTION_SIZE 64
#define DAY_SECONDS 86400

static AuditKind kind_of(const Call *c, int status) {
    return status >= 400 ? AUDIT_REFUSAL : c->route->flags & ROUTE_VISIT ? AUDIT_VISIT : AUDIT_CHANGE;
}

static const char *target_of(const Call *c) {
    return c->target[0] ? c->target : c->param[0] ? c->param : NULL;
}

static void write_action(const Call *c, char ret[static ACTION_SIZE]) {
    snprintf(ret, ACTION_SIZE, "%s %s", c->route->method, c->route->path);
}

AuditKeep audit_keep(const Settings *settings) {
    return (AuditKeep) { .rows = settings->audit_rows, .seconds = (int64_t) settings->audit_days * DAY_SECONDS };
}

int audit_append(StoreTx *tx, Call *c, const char *target, int status) {
    AuditKeep keep = audit_keep(c->m->settings);
    char action[ACTION_SIZE];

    write_action(c, action);
    c->audited = true;
    return tx_audit(tx, &(AuditRow) { .at = c->at, .actor = c->actor, .address = c->peer, .action = action, .target = target ? target : target_of(c),
                                      .detail = c->detail[0] ? c->detail : NULL, .request_id = c->request_id, .result = status, .kind = kind_of(c, status) },
                    &keep);
}

bool audit_admits_refusal(Manager *m, const char *peer) {
    static const RateLimit each = { .calls = AUDIT_REFUSALS_PER_CLIENT, .window_ms = 60000 };
    static const RateLimit all = { .calls = AUDIT_REFUSALS_PER_MINUTE, .window_ms = 60000 };
    uint32_t wait;

    if (rates_count(m->rates, "audit", peer, &each, &wait) && rate_window_count(&m->refusals, &all, monotonic_ms(), &wait))
        return true;
    metrics_unwritten(m->metrics);
    return false;
}

bool audit_admits(Call *c, int status) {
    if (!c->route || (streq(c->route->method, "GET") && status != 401 && status != 403))
        return false;
    if (status < 400)
        return !c->audited;
    call_identify(c);
    return audit_admits_refusal(c->m, c->peer);
}

void audit_log(Call *c, int status) {
    char fields[4][sizeof("TEMPOFTP_ACTION=") + ACTOR_TEXT_MAX], action[ACTION_SIZE];
    const char *target = target_of(c);
    LogContext about = call_log(c, NULL);

    write_action(c, action);
    snprintf(fields[0], sizeof(fields[0]), "TEMPOFTP_ACTOR=%s", c->actor);
    snprintf(fields[1], sizeof(fields[1]), "TEMPOFTP_ACTION=%s", action);
    snprintf(fields[2], sizeof(fields[2]), "TEMPOFTP_RESULT=%d", status);
    snprintf(fields[3], sizeof(fields[3]), "TEMPOFTP_TARGET=%s", target ? target : "");
    about.message_id = MESSAGE_ID_AUDIT;
    for (size_t i = 0; i < (target ? 4 : 3); i++)
        about.extra[i] = fields[i];
    log_line(status >= 500 ? LOG_WARNING : LOG_INFO, &about, "%s%s%s %d%s%s by %s", action, target ? " " : "", target ? target : "", status,
             c->detail[0] ? " " : "", c->detail, c->actor);
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
    json_string(w, "detalle", row->detail);
    json_integer(w, "resultado", row->result);
    json_string(w, "request_id", row->request_id);
    json_object_close(w);
    return 0;
}

/* Texts that a filter may have: whole or not at all. */
typedef struct FilterTexts {
    char actor[ACTOR_TEXT_MAX + 1], action[ACTION_SIZE], target[CALL_PARAM_MAX], address[ADDRESS_TEXT_MAX], request_id[REQUEST_ID_MAX + 1];
} FilterTexts;

/* False: answered. */
static bool read_filter(Call *c, FilterTexts *texts, AuditFilter *ret) {
    const struct {
        const char *name;
        char *text;
        size_t size;
        const char **ret;
    } words[] = {
        { "actor", texts->actor, sizeof(texts->actor), &ret->actor },
        { "accion", texts->action, sizeof(texts->action), &ret->action },
        { "objeto", texts->target, sizeof(texts->target), &ret->target },
        { "direccion", texts->address, sizeof(texts->address), &ret->address },
        { "request_id", texts->request_id, sizeof(texts->request_id), &ret->request_id },
    };
    for (size_t i = 0; i < ELEMENTS(words); i++) {
        int r = call_query(c, words[i].name, words[i].text, words[i].size);
        if (r < 0 && r != -ENOENT) {
            reply_query_error(c, words[i].name, "No es un texto que pueda estar en un registro", "string_type");
            return false;
        }
        *words[i].ret = r < 0 ? NULL : words[i].text;
    }
    return query_number(c, "antes", INT64_MAX, &ret->before_n) && query_time(c, "desde", false, &ret->since) && query_time(c, "hasta", true, &ret->until);
}

void audit_list(Call *c) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    AuditFilter filter = { 0 };
    FilterTexts texts;
    uint64_t limit = LIST_DEFAULT, next = 0;

    if (!query_number(c, "limite", QUERY_LIST_MAX, &limit) || !read_filter(c, &texts, &filter))
        return;
    json_object_open(&w, NULL);
    json_array_open(&w, "registros");
    int r = store_list_audit(c->m->store, &filter, (size_t) limit, list_row, &w, &next);
    json_array_close(&w);
    if (next > 0)
        json_integer(&w, "siguiente", (int64_t) next);
    else
        json_null(&w, "siguiente");
    json_object_close(&w);
    if (r < 0)
        reply_errno(c, r);
    else
        reply_json(c, 200, &b);
}
