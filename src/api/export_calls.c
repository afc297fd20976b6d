/* /api/jobs/{id}/…: a request is sent to a destination by hand, or no longer; what became of each time, and its log. A job is a request by its id. */
#include "api/audit.h"
#include "api/export_change.h"
#include "api/export_queue.h"
#include "api/reply.h"
#include "api/resources.h"
#include "api/view.h"
#include "basic/strings.h"
#include "model/texts.h"

#include <errno.h>
#include <stdio.h>

/* ---- what is shown ---- */

static void export_write(JsonWriter *w, const char *key, const Manager *m, const Export *e) {
    json_object_open(w, key);
    json_integer(w, "n", e->n);
    json_integer(w, "destination_id", (int64_t) e->destination);
    json_string(w, "destination_name", e->name);
    json_string(w, "type", destination_type_name(e->type));
    json_string(w, "status", export_state_name(e->state));
    json_string(w, "message", e->message);
    json_bool(w, "automatic", e->automatic);
    json_time(w, "created_at", e->created);
    json_time(w, "ended_at", e->ended);
    json_integer(w, "bytes", (int64_t) e->bytes);
    json_integer(w, "files", (int64_t) e->files);
    view_progress(w, "progress", e->state == EXPORT_SUBIENDO ? exports_progress(m, e->life, e->n) : NULL);
    json_object_close(w);
}

static void reply_export(Call *c, int status, const Export *e) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    json_object_open(&w, NULL);
    export_write(&w, "export", c->m, e);
    json_object_close(&w);
    reply_json(c, status, &b);
}

/* The request that the call names, if the caller may see it; else told. */
static int find_request(Call *c, Request *ret) {
    const char *owner = call_owner(c);
    int r = id_is_valid(c->param) ? store_get(c->m->store, c->param, ret) : -ENOENT;

    if (r >= 0 && owner && !streq(owner, ret->email))
        r = -ENOENT; /* the caller frees what was found */
    if (r == -ENOENT)
        reply_detail(c, 404, TEXT_NO_REQUEST);
    else if (r < 0)
        reply_errno(c, r);
    return r;
}

/* ---- lists ---- */

typedef struct List {
    Call *call;
    uint64_t life;
    JsonWriter w;
} List;

static int list_export(const Export *e, void *userdata) {
    List *list = userdata;

    export_write(&list->w, NULL, list->call->m, e);
    return 0;
}

static void reply_list(Manager *m, void *userdata) {
    List *list = userdata;
    Call *c = list->call;
    _cleanup_buffer_ Buffer b = { 0 };

    list->w = JSON_WRITER(&b);
    json_object_open(&list->w, NULL);
    json_string(&list->w, "id", c->param);
    json_array_open(&list->w, "exports");
    int r = store_list_exports(m->store, list->life, list_export, list);
    json_array_close(&list->w);
    json_object_close(&list->w);
    if (r < 0)
        reply_errno(c, r);
    else
        reply_json(c, 200, &b);
    call_done(c);
    free(list);
}

void export_list(Call *c) {
    _cleanup_request_ Request request = { 0 };

    if (find_request(c, &request) < 0)
        return;
    List *list = CALL_LATER(List, c);

    if (!list)
        return;
    list->life = request.life;
    exports_refresh(list->call->m, request.life, reply_list, list);
}

static int list_line(uint32_t n, int64_t at, const char *text, void *userdata) {
    JsonWriter *w = userdata;

    json_object_open(w, NULL);
    json_time(w, "time", at);
    json_integer(w, "export", n);
    json_string(w, "line", text);
    json_object_close(w);
    return 0;
}

void export_logs(Call *c) {
    _cleanup_request_ Request request = { 0 };
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    if (find_request(c, &request) < 0)
        return;
    json_object_open(&w, NULL);
    json_string(&w, "id", request.id);
    json_array_open(&w, "logs");
    int r = store_list_export_lines(c->m->store, request.life, list_line, &w);
    json_array_close(&w);
    json_object_close(&w);
    if (r < 0)
        reply_errno(c, r);
    else
        reply_json(c, 200, &b);
}

/* ---- by hand ---- */

typedef struct Send {
    Call *call;
    uint64_t life;
    Destination destination;
    State state; /* the request's, when it was not listo */
    Export row;
} Send;

static void send_free(Send *s) {
    call_done(s->call);
    destination_done(&s->destination);
    export_done(&s->row);
    free(s);
}

static int send_job(StoreTx *tx, void *userdata) {
    Send *s = userdata;
    _cleanup_request_ Request r = { 0 };
    _cleanup_destination_ Destination now = { 0 };
    int64_t clock = manager_now(s->call->m);
    char text[EXPORT_TEXT_SIZE];

    int k = tx_get_life(tx, s->life, &r);
    if (k < 0)
        return k;
    s->state = r.state == STATE_LISTO && r.expires <= clock ? STATE_EXPIRADO : r.state; /* over, only not yet swept */
    if (s->state != STATE_LISTO)
        return -EPERM;
    k = tx_destination(tx, s->destination.id, &now);
    if (k < 0)
        return k == -ENOENT ? -ENXIO : k;
    k = tx_export_add(tx, &r, &now, false, clock, &s->row);
    if (k < 0)
        return k;
    snprintf(text, sizeof(text), EXPORT_PREFIX "upload %u to '%s' was asked for", s->row.n, s->row.name);
    k = tx_export_line(tx, s->life, s->row.n, clock, text);
    return k < 0 ? k : audit_append(tx, s->call, NULL, 202);
}

static void sent(void *userdata, int r) {
    Send *s = userdata;
    Call *c = s->call;
    char text[160];

    if (r == -EPERM) {
        snprintf(text, sizeof(text), TEXT_EXPORT_NOT_READY, state_name(s->state));
        reply_detail(c, 409, text);
    } else if (r == -ENOENT)
        reply_detail(c, 404, TEXT_NO_REQUEST);
    else if (r == -ENXIO)
        reply_detail(c, 404, TEXT_NO_DESTINATION);
    else if (r == -EALREADY)
        reply_detail(c, 409, TEXT_EXPORT_RUNS);
    else if (r == -EDQUOT)
        reply_detail(c, 409, TEXT_EXPORTS_FULL);
    else if (r < 0)
        reply_errno(c, r);
    else {
        exports_kick(c->m);
        reply_export(c, 202, &s->row);
    }
    send_free(s);
}

/* -EBADMSG: told. */
static int find_destination(Call *c, const ExportBody *body, bool sftp, Destination *ret) {
    char text[160];
    int r = body->id ? store_destination(c->m->store, body->id, ret) : store_destination_by_name(c->m->store, body->name, ret);

    if (r == -ENOENT)
        reply_detail(c, 404, TEXT_NO_DESTINATION);
    else if (r < 0)
        reply_errno(c, r);
    else if ((ret->type == DESTINATION_SFTP) != sftp) {
        snprintf(text, sizeof(text), TEXT_EXPORT_WRONG_TYPE, destination_type_name(ret->type), sftp ? "ftp" : "sftp");
        reply_detail(c, 400, text);
        destination_done(ret);
        return -EBADMSG;
    }
    return r;
}

static void send_by_hand(Call *c, bool sftp) {
    _cleanup_request_ Request request = { 0 };
    _cleanup_destination_ Destination destination = { 0 };
    Refusal refusal = { 0 };
    ExportBody body;

    int r = export_body_parse(c->req->entity.base, c->req->entity.len, &body, &refusal);
    if (r < 0) {
        reply_unparsed(c, r, &refusal);
        return;
    }
    if (find_request(c, &request) < 0 || find_destination(c, &body, sftp, &destination) < 0)
        return;
    Send *s = CALL_LATER(Send, c);

    if (!s)
        return;
    s->life = request.life;
    s->destination = destination;
    destination = (Destination) { 0 };
    call_detail(s->call, "%s", s->destination.name);
    r = store_write(s->call->m->store, send_job, sent, s);
    if (r < 0)
        sent(s, r);
}

void export_ftp(Call *c) {
    send_by_hand(c, false);
}

void export_sftp(Call *c) {
    send_by_hand(c, true);
}

/* ---- cancelling ---- */

static void cancel_stopped(void *userdata, int r, const char *error_name, const char *message) {
    Send *s = userdata;

    exports_settle(s->call->m);
    reply_export(s->call, 200, &s->row);
    send_free(s);
}

static void reply_over(Call *c, ExportState state) {
    char text[128];

    snprintf(text, sizeof(text), TEXT_EXPORT_OVER, export_state_name(state));
    reply_detail(c, 409, text);
}

static void cancelled(ExportChange *change, int r) {
    Send *s = change->userdata;
    Call *c = s->call;

    if (r == -ESTALE)
        reply_over(c, change->row.state);
    else if (r < 0)
        reply_errno(c, r);
    else {
        s->row = change->row;
        change->row.message = NULL;
        export_stop(c->m, s->row.id, s->row.n, cancel_stopped, s);
        return;
    }
    send_free(s);
}

void export_cancel(Call *c) {
    _cleanup_request_ Request request = { 0 };
    _cleanup_export_ Export e = { 0 };
    uint64_t n;

    if (find_request(c, &request) < 0)
        return;
    int r = parse_u64(c->second, UINT32_MAX, &n) < 0 ? -ENOENT : store_export(c->m->store, request.life, (uint32_t) n, &e);
    if (r < 0) {
        if (r == -ENOENT)
            reply_detail(c, 404, TEXT_NO_EXPORT);
        else
            reply_errno(c, r);
        return;
    }
    if (export_state_is_over(e.state)) {
        reply_over(c, e.state);
        return;
    }
    Send *s = CALL_LATER(Send, c);

    if (!s)
        return;
    ExportChange *change = export_change_new(s->call->m, &e, EXPORT_CANCELADO, cancelled, s);
    if (!change) {
        reply_errno(s->call, -ENOMEM);
        send_free(s);
        return;
    }
    change->call = s->call;
    call_detail(s->call, "%u", e.n);
    snprintf(change->actor, sizeof(change->actor), "%s", s->call->actor);
    strcpy(change->message, TEXT_EXPORT_CANCELLED);
    export_change_line(change, "upload %u to '%s' was cancelled", e.n, e.name);
    export_change_run(change);
}
