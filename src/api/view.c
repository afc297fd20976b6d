/* GET /tmpftp and GET /tmpftp/{id}: rows into JSON. The hot path of the service: one prepared statement, one buffer. */
#include "api/view.h"

#include "api/answers.h"
#include "api/lifecycle.h"
#include "api/query.h"
#include "api/resources.h"
#include "api/transfers.h"
#include "basic/strings.h"
#include "basic/usage.h"
#include "model/messages.h"
#include "model/paths.h"
#include "model/texts.h"

#include <errno.h>
#include <stdio.h>

#define PROGRESS_MAX_AGE_MS 1000
#define LIST_DEFAULT 500
#define MESSAGE_SIZE (RUTA_MAX + 512)

/* A drop folder is measured on the pool while the call waits. */
typedef struct Measured {
    Call *call;
    char account[ACCOUNT_NAME_MAX + 1];
    uint64_t bytes;
    int r;
} Measured;

static const char *tls_name(TlsMode mode) {
    static const char *const names[] = { [TLS_OFF] = "off", [TLS_OPTIONAL] = "optional", [TLS_REQUIRED] = "required" };
    return names[mode];
}

void view_progress(JsonWriter *w, const char *key, const Progress *p) {
    if (!p) {
        json_null(w, key);
        return;
    }
    json_object_open(w, key);
    json_integer(w, "bytes", (int64_t) p->bytes);
    json_integer(w, "total", (int64_t) p->total);
    json_integer(w, "porcentaje", p->percent);
    json_integer(w, "bytes_por_segundo", (int64_t) p->rate);
    if (p->left == UINT64_MAX)
        json_null(w, "segundos_restantes");
    else
        json_integer(w, "segundos_restantes", (int64_t) p->left);
    json_object_close(w);
}

/* What is known of a copy under way: systemd's STATUS= figures, or the size alone. */
static const Progress *known_progress(Manager *m, const Request *r, Progress *storage) {
    const Transfer *x = transfers_find(m->transfers, r->life);

    if (r->state != STATE_TRASLADO || !r->sized)
        return NULL;
    *storage = (Progress) { .bytes = r->copied ? r->bytes : 0, .total = r->bytes };
    if (x && x->has_progress && !r->copied)
        *storage = x->progress;
    progress_derive(storage);
    return storage;
}

static void reply_under_way(Call *c, const Request *r) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    char message[MESSAGE_SIZE];
    Progress storage;

    request_message(r, message, sizeof(message));
    json_object_open(&w, NULL);
    json_string(&w, "id", r->id);
    json_string(&w, "status", state_name(r->state));
    json_string(&w, "mensaje", message);
    view_progress(&w, "progreso", known_progress(c->m, r, &storage));
    json_object_close(&w);
    reply_header(c, "retry-after", "5");
    reply_json(c, 202, &b);
}

static void reply_without_access(Call *c, const Request *r) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    char message[MESSAGE_SIZE];

    request_message(r, message, sizeof(message));
    json_object_open(&w, NULL);
    json_string(&w, "id", r->id);
    json_string(&w, "status", state_name(r->state));
    json_string(&w, "mensaje", message);
    json_object_close(&w);
    reply_json(c, 200, &b);
}

/* `used`: as usage_of() found it. Without a drop folder there is no key: the original's clients know none. */
static void view_drop(JsonWriter *w, const RequestView *v, const Measured *used) {
    if (v->drop_bytes == 0)
        return;
    json_object_open(w, "buzon");
    json_string(w, "carpeta", DROP_FOLDER);
    json_integer(w, "bytes", (int64_t) v->drop_bytes);
    if (used && used->r >= 0)
        json_integer(w, "usados", (int64_t) used->bytes);
    else
        json_null(w, "usados");
    json_object_close(w);
}

static int view_export(const Export *e, void *userdata) {
    JsonWriter *w = userdata;

    json_object_open(w, NULL);
    json_integer(w, "n", e->n);
    json_string(w, "destino", e->name);
    json_string(w, "tipo", destination_type_name(e->type));
    json_string(w, "estado", export_state_name(e->state));
    json_string(w, "mensaje", e->message);
    json_bool(w, "automatica", e->automatic);
    json_time(w, "creada", e->created);
    json_time(w, "terminada", e->ended);
    json_object_close(w);
    return 0;
}

static void view_exports(JsonWriter *w, Manager *m, uint64_t life) {
    json_array_open(w, "exportaciones");
    int r = store_list_exports(m->store, life, view_export, w);
    if (r < 0)
        w->out->error = r; /* half a list would be a lie */
    json_array_close(w);
}

static void reply_ready(Call *c, const RequestView *v, const Measured *used) {
    const Request *r = &v->request;
    const Settings *settings = c->m->settings;
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    char message[MESSAGE_SIZE];

    request_message(r, message, sizeof(message));
    json_object_open(&w, NULL);
    json_string(&w, "status", "listo");
    json_string(&w, "ftpuser", r->account);
    json_string(&w, "password", v->token);
    json_integer(&w, "vigencia", r->vigencia);
    json_string(&w, "mensaje", message);
    json_string(&w, "id", r->id);
    json_string(&w, "usuario", r->account);
    json_string(&w, "email", r->email);
    json_time(&w, "expira", r->expires);
    json_object_open(&w, "ftp");
    json_string(&w, "host", settings->ftp_host);
    json_integer(&w, "port", settings->ftp_port);
    json_string(&w, "tls", tls_name(settings->ftp_tls));
    json_object_close(&w);
    json_integer(&w, "archivos", (int64_t) r->files);
    json_integer(&w, "bytes", (int64_t) r->bytes);
    json_object_open(&w, "descargas");
    json_integer(&w, "total_descargas", (int64_t) v->downloads.count);
    json_time(&w, "ultima_descarga", v->downloads.last);
    json_integer(&w, "bytes", (int64_t) v->downloads.bytes);
    json_object_close(&w);
    view_exports(&w, c->m, r->life);
    view_drop(&w, v, used);
    json_object_close(&w);
    if (v->drop_bytes == 0) /* what is used changes without our doing */
        answers_keep(c->m->answers, r->life, r->id, r->email, r->expires, &b);
    reply_json(c, 200, &b);
}

void view_reply_finished(Call *c, const RequestView *v) {
    const Request *r = &v->request;
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    char message[MESSAGE_SIZE];

    request_message(r, message, sizeof(message));
    json_object_open(&w, NULL);
    json_string(&w, "id", r->id);
    json_string(&w, "status", "listo");
    json_string(&w, "ftpuser", r->account);
    json_string(&w, "password", v->token);
    json_integer(&w, "vigencia", r->vigencia);
    json_string(&w, "mensaje", message);
    json_object_close(&w);
    reply_json(c, 200, &b);
}

/* ---- answers that need to know more first ---- */

static void reply_row(Call *c, const RequestView *v, const Measured *used) {
    if (state_is_under_way(v->request.state))
        reply_under_way(c, &v->request);
    else if (v->request.state == STATE_LISTO)
        reply_ready(c, v, used);
    else
        reply_without_access(c, &v->request);
}

/* The request that the call names, if it is one that the caller may see. -ENOENT. */
static int find_view(const Call *c, RequestView *ret) {
    const char *owner = call_owner(c);

    int r = store_view(c->m->store, c->param, ret);
    return r >= 0 && owner && !streq(owner, ret->request.email) ? -ENOENT : r;
}

static void reply_measured(Manager *m, Call *c, const Measured *used) {
    _cleanup_request_view_ RequestView v = { 0 };
    int r = find_view(c, &v);

    if (r < 0)
        reply_errno(c, r);
    else
        reply_row(c, &v, used);
    call_done(c);
}

static void reply_now(Manager *m, Call *c) {
    reply_measured(m, c, NULL);
}

static void measure_run(void *userdata) {
    Measured *used = userdata;
    char path[REL_PATH_SIZE];
    uint64_t names;

    path_drop(used->account, path);
    used->r = usage_of(used->call->m->data_fd, path, USAGE_NAMES_MAX, &used->bytes, &names);
}

static void measure_done(void *userdata) {
    Measured *used = userdata;

    reply_measured(used->call->m, used->call, used);
    free(used);
}

/* False: can't be measured, answer without. */
static bool measure_first(Call *later, const char *account) {
    Measured *used = malloc(sizeof(*used));

    if (!used)
        return false;
    *used = (Measured) { .call = later };
    strcpy(used->account, account);
    if (pool_submit(later->m->pool, measure_run, measure_done, used) >= 0)
        return true;
    free(used);
    return false;
}

static void progress_is_fresh(Manager *m, void *userdata) {
    reply_now(m, userdata);
}

static void due_is_expired(Manager *m, unsigned n, void *userdata) {
    reply_now(m, userdata);
}

void request_get(Call *c) {
    _cleanup_request_view_ RequestView v = { 0 };
    Buffer kept;
    Call *later;

    if (answers_find(c->m->answers, c->param, call_owner(c), manager_now(c->m), &kept)) {
        reply_json(c, 200, &kept);
        return;
    }
    int r = find_view(c, &v);
    if (r < 0) {
        reply_errno(c, r);
        return;
    }
    bool copying = v.request.state == STATE_TRASLADO && !v.request.copied && c->m->bus;
    bool due = state_has_days(v.request.state) && v.request.expires <= manager_now(c->m);
    bool drop = v.drop_bytes > 0 && v.request.state == STATE_LISTO && c->m->data_fd >= 0;
    if ((!copying && !due && !drop) || !(later = call_detach(c))) {
        reply_row(c, &v, NULL);
        return;
    }
    if (due)
        lifecycle_expire_due(c->m, due_is_expired, later);
    else if (drop ? !measure_first(later, v.request.account)
                  : transfers_refresh(c->m, v.request.life, PROGRESS_MAX_AGE_MS, progress_is_fresh, later) < 0)
        reply_now(c->m, later);
}

/* ---- list ---- */

typedef struct List {
    JsonWriter w;
    size_t n;
    bool detail;
    /* of one person's list only, where the database knows no other condition than the address: */
    State state;
    uint64_t after;
    size_t limit;
} List;

static int list_walk(const Request *r, void *userdata) {
    List *list = userdata;
    JsonWriter *w = &list->w;

    list->n++;
    json_object_open(w, NULL);
    json_string(w, "id", r->id);
    json_string(w, "email", r->email);
    json_string(w, "ruta", r->ruta);
    json_string(w, "estado", state_name(r->state));
    json_time(w, "created_at", r->created);
    json_integer(w, "vigencia", r->vigencia);
    if (list->detail) {
        char message[MESSAGE_SIZE];
        request_message(r, message, sizeof(message));
        json_string(w, "usuario", r->account[0] ? r->account : NULL);
        json_string(w, "grupo", r->group[0] ? r->group : NULL);
        json_string(w, "mensaje", message);
        json_time(w, "expira", r->expires);
        json_integer(w, "bytes", (int64_t) r->bytes);
        json_integer(w, "archivos", (int64_t) r->files);
    }
    json_object_close(w);
    return 0;
}

static int list_own_walk(const Request *r, void *userdata) {
    List *list = userdata;

    if (r->life <= list->after || (list->state != STATE_MAX && r->state != list->state))
        return 0;
    return list->n < list->limit ? list_walk(r, list) : 1;
}

/* The list's parameters; answers and returns false when one is wrong. */
static bool list_parameters(Call *c, List *ret) {
    char text[CALL_PARAM_MAX];
    uint64_t limit = LIST_DEFAULT;
    int r;

    ret->state = STATE_MAX;
    r = call_query(c, "estado", text, sizeof(text));
    if (r != -ENOENT && (r < 0 || state_parse(text, &ret->state) < 0 || ret->state == STATE_ELIMINADO)) {
        reply_query_error(c, "estado", TEXT_UNKNOWN_STATE, "enum");
        return false;
    }
    if (!query_number(c, "limite", QUERY_LIST_MAX, &limit))
        return false;
    ret->limit = (size_t) limit;
    r = call_query(c, "despues", text, sizeof(text));
    if (r != -ENOENT) {
        _cleanup_request_ Request row = { 0 };
        if (r < 0 || store_get(c->m->store, text, &row) < 0 || (call_owner(c) && !streq(call_owner(c), row.email))) {
            reply_query_error(c, "despues", TEXT_NO_SUCH_ID, "value_error");
            return false;
        }
        ret->after = row.life;
    }
    ret->detail = call_query(c, "detalle", text, sizeof(text)) >= 0 && streq(text, "1");
    return true;
}

void request_list(Call *c) {
    _cleanup_buffer_ Buffer rows = { 0 }, b = { 0 };
    List list = { .w = JSON_WRITER(&rows) };
    JsonWriter w = JSON_WRITER(&b);
    const char *owner = call_owner(c);

    if (!list_parameters(c, &list))
        return;
    int r = owner ? store_list_email(c->m->store, owner, list_own_walk, &list)
                  : store_list(c->m->store, list.state, list.after, list.limit, list_walk, &list);
    if (r < 0 || rows.error) {
        reply_errno(c, r < 0 ? r : rows.error);
        return;
    }
    json_object_open(&w, NULL);
    json_integer(&w, "total", (int64_t) list.n);
    json_integer(&w, "sin_created_at", 0); /* every row has one here; the original's had not */
    json_array_open(&w, "solicitudes");
    buffer_append(&b, rows.data ? rows.data : "", rows.size);
    json_array_close(&w);
    json_object_close(&w);
    reply_json(c, 200, &b);
}
