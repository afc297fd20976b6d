/* The contract's answer shapes. It knows how an answer looks, not when it is given. */
#include "api/reply.h"

#include "api/audit.h"
#include "api/metrics.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/messages.h"

#include <errno.h>
#include <stdio.h>

static const struct {
    int status;
    const char *reason, *text;
} standing[] = {
    { 200, "OK", NULL },
    { 201, "Created", NULL },
    { 202, "Accepted", NULL },
    { 204, "No Content", NULL },
    { 304, "Not Modified", NULL },
    { 400, "Bad Request", "Solicitud incorrecta" },
    { 401, "Unauthorized", "Credenciales inválidas" },
    { 403, "Forbidden", "No autorizado" },
    { 404, "Not Found", "No encontrado" },
    { 405, "Method Not Allowed", "Método no permitido" },
    { 408, "Request Timeout", "La solicitud tardó demasiado en llegar" },
    { 409, "Conflict", NULL },
    { 413, "Payload Too Large", "Cuerpo demasiado grande" },
    { 414, "URI Too Long", "URL demasiado larga" },
    { 415, "Unsupported Media Type", "Se espera application/json" },
    { 422, "Unprocessable Content", NULL },
    { 429, "Too Many Requests", "Demasiadas solicitudes" },
    { 431, "Request Header Fields Too Large", "Cabeceras demasiado grandes" },
    { 500, "Internal Server Error", "Error interno" },
    { 503, "Service Unavailable", "Servicio no disponible" },
};

const char *reply_reason(int status) {
    for (size_t i = 0; i < ELEMENTS(standing); i++)
        if (standing[i].status == status)
            return standing[i].reason;
    return "Unknown";
}

const char *reply_standing_text(int status) {
    for (size_t i = 0; i < ELEMENTS(standing); i++)
        if (standing[i].status == status)
            return standing[i].text;
    return NULL;
}

void reply_header(Call *c, const char *name, const char *value) {
    if (!c->req)
        return;
    h2o_iovec_t copy = h2o_strdup(&c->req->pool, value, SIZE_MAX);
    h2o_add_header_by_str(&c->req->pool, &c->req->res.headers, name, strlen(name), 1, NULL, copy.base, copy.len);
}

/* Calls that are no row of the trail: those that only read, and what a flood repeats. */
static void log_call(Call *c, int status) {
    bool is_read = h2o_memis(c->req->method.base, c->req->method.len, H2O_STRLIT("GET"));
    int level = is_read && status >= 500 ? LOG_WARNING : LOG_DEBUG;

    if (level > c->m->settings->log_level)
        return;
    LogContext about = call_log(c, NULL);
    log_line(level, &about, "%.*s %.*s %d %llu ms", (int) c->req->method.len, c->req->method.base, (int) (c->req->path.len > 256 ? 256 : c->req->path.len),
             c->req->path.base, status, (unsigned long long) (monotonic_us() - c->started_us) / 1000);
}

static void send_answer(Call *c, int status, const Buffer *body, bool audited) {
    if (audited)
        audit_log(c, status); /* also of what a client did not wait for */
    metrics_answer(c, status);
    if (!c->req)
        return;
    if (!audited)
        log_call(c, status);
    c->req->res.status = status;
    c->req->res.reason = reply_reason(status);
    const char *media = c->media ? c->media : "application/json";
    if (body)
        h2o_add_header(&c->req->pool, &c->req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, media, strlen(media));
    h2o_iovec_t id = h2o_strdup(&c->req->pool, c->request_id, SIZE_MAX);
    h2o_add_header_by_str(&c->req->pool, &c->req->res.headers, H2O_STRLIT("x-request-id"), 0, NULL, id.base, id.len);
    h2o_req_t *req = c->req;
    req->res.content_length = body ? body->size : 0;
    call_answered(c); /* before sending: that may end the request */
    h2o_send_inline(req, body && body->data ? body->data : "", body ? body->size : 0);
}

/* ---- answers that wait for their row of the trail ---- */

typedef struct HeldAnswer {
    Call *call;
    int status;
    bool has_body;
    Buffer body;
} HeldAnswer;

static void held_free(HeldAnswer *h) {
    call_done(h->call);
    if (h->body.data)
        wipe(h->body.data, h->body.size); /* it may hold a token */
    buffer_done(&h->body);
    free(h);
}

static int held_job(StoreTx *tx, void *userdata) {
    HeldAnswer *h = userdata;
    return audit_append(tx, h->call, NULL, h->status);
}

/* Nobody is let in, and nothing is said to be done, that the trail doesn't know; who is refused is refused. */
static void held_written(void *userdata, int r) {
    HeldAnswer *h = userdata;

    if (r >= 0 || h->status >= 400) {
        if (r < 0)
            log_errno(r, "Cannot write a refusal into the audit trail, ignoring");
        send_answer(h->call, h->status, h->has_body ? &h->body : NULL, true);
    } else {
        log_errno(r, "Cannot write the audit trail, the call is answered with an error");
        reply_errno(h->call, r);
    }
    held_free(h);
}

/* Takes a copy of the answer and sends it when its row is on disk. */
static int hold_answer(Call *c, int status, const Buffer *body) {
    HeldAnswer *h = calloc(1, sizeof(*h));

    if (!h || !(h->call = call_detach(c))) {
        free(h);
        return -ENOMEM;
    }
    h->status = status;
    h->has_body = body;
    if (body)
        buffer_append(&h->body, body->data, body->size);
    int r = h->body.error < 0 ? h->body.error : store_write(c->m->store, held_job, held_written, h);
    if (r < 0) {
        held_free(h);
        return r;
    }
    call_answered(c);
    return 0;
}

void reply_json(Call *c, int status, const Buffer *body) {
    bool audited = c->audited && status < 400;

    if (body && body->error) {
        reply_detail(c, 500, reply_standing_text(500));
        return;
    }
    int r = !audited && audit_admits(c, status) ? hold_answer(c, status, body) : 1;
    if (r == 0)
        return;
    if (r < 0 && status < 400)
        reply_errno(c, r);
    else
        send_answer(c, status, body, audited);
}

void reply_text(Call *c, int status, const char *type, const Buffer *body) {
    if (!body->error)
        c->media = type;
    reply_json(c, status, body);
}

void reply_detail(Call *c, int status, const char *text) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    json_object_open(&w, NULL);
    json_string(&w, "detail", text);
    json_object_close(&w);
    if (b.error) { /* no memory even for that */
        h2o_req_t *req = c->req;
        if (!req)
            return;
        call_answered(c);
        req->res.status = 500;
        req->res.reason = reply_reason(500);
        h2o_send_inline(req, H2O_STRLIT("{\"detail\":\"Error interno\"}"));
        return;
    }
    reply_json(c, status, &b);
}

void reply_message(Call *c, const char *text) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    json_object_open(&w, NULL);
    json_string(&w, "message", text);
    json_object_close(&w);
    reply_json(c, 200, &b);
}

void reply_busy(Call *c) {
    reply_header(c, "retry-after", RETRY_AFTER_UNAVAILABLE);
    reply_detail(c, 503, reply_standing_text(503));
}

void reply_refused(Call *c, const char *id, const char *message) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    json_object_open(&w, NULL);
    json_object_open(&w, "detail");
    json_string(&w, "id", id);
    json_string(&w, "status", "error");
    json_string(&w, "mensaje", message);
    json_object_close(&w);
    json_object_close(&w);
    reply_json(c, 400, &b);
}

static void reply_fields(Call *c, const char *where, const FieldError *errors, size_t n) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    json_object_open(&w, NULL);
    json_array_open(&w, "detail");
    for (size_t i = 0; i < n; i++) {
        json_object_open(&w, NULL);
        json_array_open(&w, "loc");
        json_string(&w, NULL, where);
        if (errors[i].field)
            json_string(&w, NULL, errors[i].field);
        json_array_close(&w);
        json_string(&w, "msg", errors[i].message);
        json_string(&w, "type", errors[i].type);
        json_object_close(&w);
    }
    json_array_close(&w);
    json_object_close(&w);
    reply_json(c, 422, &b);
}

void reply_unparsed(Call *c, int r, const Refusal *refusal) {
    if (r != -EBADMSG)
        reply_errno(c, r);
    else if (refusal->status == 422)
        reply_fields(c, "body", refusal->errors, refusal->n_errors);
    else if (refusal->plain)
        reply_detail(c, 400, refusal->message);
    else
        reply_refused(c, refusal->cut_id, refusal->message);
}

void reply_query_error(Call *c, const char *parameter, const char *message, const char *type) {
    reply_fields(c, "query", &(FieldError) { .field = parameter, .message = message, .type = type }, 1);
}

void reply_errno(Call *c, int r) {
    int status = r == -ENOENT ? 404 : r == -EAGAIN || r == -ENOSPC || r == -EBUSY ? 503 : 500;

    if (status == 503)
        reply_header(c, "retry-after", RETRY_AFTER_UNAVAILABLE);
    if (status >= 500) {
        LogContext about = call_log(c, NULL);
        log_line(LOG_ERR, &about, "Cannot answer the call: %s", strerror(-r));
    }
    reply_detail(c, status, reply_standing_text(status));
}

void *call_later(Call *c, size_t size) {
    Call **first = calloc(1, size);

    if (!first || !(*first = call_detach(c))) {
        free(first);
        reply_errno(c, -ENOMEM);
        return NULL;
    }
    return first;
}

/* RFC 9110, 13.1.2: a list of tags, or any. */
static bool has_already(const Call *c, const Document *d) {
    h2o_iovec_t given = call_header(c, "if-none-match");

    return given.base && (h2o_memis(given.base, given.len, H2O_STRLIT("*")) || h2o_strstr(given.base, given.len, d->etag, strlen(d->etag)) != SIZE_MAX);
}

void reply_document(Call *c, const Document *d) {
    h2o_req_t *req = c->req;
    h2o_generator_t *whole = h2o_mem_alloc_pool(&req->pool, sizeof(*whole));
    bool fresh = has_already(c, d), head = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
    int status = fresh ? 304 : 200;
    h2o_iovec_t body = h2o_iovec_init(d->data, d->size);

    metrics_answer(c, status);
    log_call(c, status);
    req->res.status = status;
    req->res.reason = reply_reason(status);
    reply_header(c, "content-type", d->type);
    reply_header(c, "etag", d->etag);
    reply_header(c, "cache-control", "no-cache"); /* to be kept, and asked about */
    reply_header(c, "vary", "Accept-Encoding, Origin");
    if (d->policy)
        reply_header(c, "content-security-policy", d->policy);
    reply_header(c, "x-request-id", c->request_id);
    if (d->encoding && !fresh)
        reply_header(c, "content-encoding", d->encoding);
    if (!fresh)
        req->res.content_length = body.len;
    call_answered(c);
    *whole = (h2o_generator_t) { NULL, NULL };
    h2o_start_response(req, whole);
    h2o_send(req, &body, fresh || head ? 0 : 1, H2O_SEND_STATE_FINAL);
}
