/* POST /tmpftp: a body becomes a durable request, or an exact refusal. */
#include "api/audit.h"
#include "api/change.h"
#include "api/lifecycle.h"
#include "api/reply.h"
#include "api/resources.h"
#include "api/scheduler.h"
#include "api/simulator.h"
#include "api/view.h"
#include "api/watchers.h"
#include "basic/strings.h"
#include "model/messages.h"
#include "model/texts.h"

#include <errno.h>
#include <stdio.h>

#define SIMULATOR_WAIT_MS 2000 /* without a delay the simulated end is a few commits away */

typedef struct Submit {
    Call *call;
    NewRequest wanted;
    Request row; /* the new one, or the one in the way */
} Submit;

static void submit_free(Submit *s) {
    call_done(s->call);
    new_request_done(&s->wanted);
    request_done(&s->row);
    free(s);
}

static void reply_accepted(Call *c, const char *id) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    char location[sizeof("/tmpftp/") + ID_MAX];

    json_object_open(&w, NULL);
    json_string(&w, "id", id);
    json_string(&w, "status", "recibido");
    json_object_close(&w);
    snprintf(location, sizeof(location), "/tmpftp/%s", id);
    reply_header(c, "location", location);
    reply_header(c, "retry-after", "5");
    reply_json(c, 202, &b);
}

static void reply_duplicate(Submit *s) {
    char text[256];

    snprintf(text, sizeof(text), "Ya existe una solicitud en proceso con el ID '%s'. Estado actual: %s", s->row.id, state_name(s->row.state));
    reply_refused(s->call, s->wanted.id, text);
}

/* The simulator without a delay: answers with the end itself. */
static void reply_simulated(Manager *m, uint64_t life, void *userdata) {
    Submit *s = userdata;
    _cleanup_request_view_ RequestView v = { 0 };
    int r = store_view(m->store, s->row.id, &v);

    if (r >= 0 && v.request.life == life && v.request.state == STATE_LISTO)
        view_reply_finished(s->call, &v);
    else if (r >= 0)
        reply_accepted(s->call, s->row.id);
    else
        reply_errno(s->call, r);
    submit_free(s);
}

/* The simulator without a delay answers with the end. */
static bool answers_with_the_end(const Manager *m) {
    return manager_is_simulator(m) && m->settings->sim_delay_ms == 0;
}

static int submit_job(StoreTx *tx, void *userdata) {
    Submit *s = userdata;
    Actor who = call_actor(s->call);

    int r = tx_insert(tx, &s->wanted, &who, &s->row);
    return r < 0 ? r : audit_append(tx, s->call, NULL, answers_with_the_end(s->call->m) ? 200 : 202);
}

static void submit_done(void *userdata, int r) {
    Submit *s = userdata;
    Manager *m = s->call->m;
    LogContext about = call_log(s->call, s->wanted.id);

    if (r == -EEXIST)
        reply_duplicate(s);
    else if (r < 0)
        reply_errno(s->call, r);
    else {
        about.message_id = message_id_for_state(STATE_RECIBIDO);
        log_line(LOG_INFO, &about, "recibido: %s asks for %s, for %d %s", s->wanted.email, s->wanted.ruta, s->wanted.vigencia,
                 s->wanted.vigencia == 1 ? "day" : "days");
        scheduler_kick(m);
        if (answers_with_the_end(m) && watchers_wait_final(m, s->row.life, SIMULATOR_WAIT_MS, reply_simulated, s) >= 0)
            return;
        reply_accepted(s->call, s->row.id);
    }
    submit_free(s);
}

/* What the simulator knows before it accepts. */
static bool simulator_refuses(Call *c, const char *id) {
    const Manager *m = c->m;

    if (!manager_is_simulator(m))
        return false;
    if (!simulator_fits(m))
        reply_refused(c, id, TEXT_NO_SPACE);
    else if (m->settings->sim_force == SIM_FAIL && m->settings->sim_delay_ms == 0)
        reply_refused(c, id, SIMULATOR_FAILED);
    else
        return false;
    return true;
}

void request_post(Call *c) {
    const Settings *settings = c->m->settings;
    RequestRules rules = { .vigencia_max = settings->vigencia_max, .origins = settings->origins };
    _cleanup_new_request_ NewRequest wanted = { 0 };
    Refusal refusal = { 0 };

    if (call_owner(c) && (!settings->origins || !settings->origins[0])) { /* from anywhere is for operators to say */
        reply_detail(c, 403, reply_standing_text(403));
        return;
    }
    int r = new_request_parse(c->req->entity.base, c->req->entity.len, &rules, &wanted, &refusal);
    if (r < 0) {
        reply_unparsed(c, r, &refusal);
        return;
    }
    strcpy(c->target, wanted.id);
    call_detail(c, "%s %s", wanted.email, wanted.ruta);
    if (call_owner(c) && !streq(call_owner(c), wanted.email)) {
        reply_detail(c, 403, reply_standing_text(403));
        return;
    }
    if (simulator_refuses(c, wanted.id))
        return;
    Submit *s = CALL_LATER(Submit, c);

    if (!s)
        return;
    s->wanted = wanted;
    wanted = (NewRequest) { 0 };
    r = store_write(c->m->store, submit_job, submit_done, s);
    if (r < 0)
        submit_done(s, r);
}
