/* What operators do to requests: delete, expire, block, unblock, extend, give a drop folder. Each is one Change and its answer. */
#include "api/account_calls.h"
#include "api/change.h"
#include "api/lifecycle.h"
#include "api/reply.h"
#include "api/resources.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/messages.h"
#include "model/paths.h"
#include "model/texts.h"

#include <errno.h>
#include <stdio.h>

/* Takes the call along into a change of the request it names. NULL: already answered. */
static Change *change_for(Call *c, ChangeApply apply, ChangeDone done) {
    Call *later = call_detach(c);
    Change *change = later ? change_new_for_call(later, apply, done) : NULL;

    if (!change) {
        call_done(later);
        reply_errno(c, -ENOMEM);
        return NULL;
    }
    snprintf(change->id, sizeof(change->id), "%.*s", ID_MAX, c->param);
    if (!id_is_valid(c->param)) /* cut or strange: it is nobody's id */
        change->id[0] = '\0';
    return change;
}

static void reply_failed(Call *c, int r) {
    if (r == -ENOENT)
        reply_detail(c, 404, TEXT_NO_REQUEST);
    else
        reply_errno(c, r);
    call_done(c);
}

static void reply_state_text(Call *c, const char *text_before, State s) {
    char text[128];

    snprintf(text, sizeof(text), "%s (estado actual: '%s')", text_before, state_name(s));
    reply_detail(c, 400, text);
    call_done(c);
}

/* {"status", "id", "usuario", …} */
static void open_answer(JsonWriter *w, const char *status, const Request *r) {
    json_object_open(w, NULL);
    json_string(w, "status", status);
    json_string(w, "id", r->id);
}

static void send_answer(Call *c, JsonWriter *w) {
    json_object_close(w);
    reply_json(c, 200, w->out);
    call_done(c);
}

/* ---- delete ---- */

static void deleted(Change *change, int r) {
    Call *c = change->userdata;
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    if (r < 0) {
        reply_failed(c, r);
        return;
    }
    open_answer(&w, "deleted", &change->request);
    json_string(&w, "mensaje", "Solicitud eliminada: se cerró el acceso y sus datos se están borrando.");
    send_answer(c, &w);
}

void request_delete(Call *c) {
    Change *change = change_for(c, change_apply_delete, deleted);
    if (change)
        change_run(change);
}

#define DELETE_BATCH 32 /* at a time: each has calls on the bus, which allows 128 */

/* All requests of one account or address. */
typedef struct DeleteUser {
    Call *call;
    char email[EMAIL_MAX + 1], account[ACCOUNT_NAME_MAX + 1];
    unsigned open, deleted, batch;
    int error;
} DeleteUser;

static void delete_user_batch(DeleteUser *d);

static void delete_user_close(DeleteUser *d) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    char text[128];

    if (--d->open > 0)
        return;
    if (d->error >= 0 && d->batch == DELETE_BATCH) { /* there may be more */
        delete_user_batch(d);
        return;
    }
    d->call->audited = false; /* each request has its row; the call itself has one too */
    if (d->error < 0) {
        reply_errno(d->call, d->error);
        call_done(d->call);
    } else if (d->deleted == 0) {
        reply_detail(d->call, 404, TEXT_NO_USER);
        call_done(d->call);
    } else {
        snprintf(text, sizeof(text), "Cuenta eliminada con %u solicitud%s.", d->deleted, d->deleted == 1 ? "" : "es");
        json_object_open(&w, NULL);
        json_string(&w, "status", "deleted");
        json_string(&w, "user", d->account[0] ? d->account : d->email);
        json_string(&w, "usuario", d->email);
        json_string(&w, "mensaje", text);
        send_answer(d->call, &w);
    }
    free(d);
}

static void delete_user_one(Change *change, int r) {
    DeleteUser *d = change->userdata;

    if (r >= 0)
        d->deleted++;
    else if (r != -ENOENT)
        d->error = r;
    delete_user_close(d);
}

static int delete_user_walk(const Request *r, void *userdata) {
    DeleteUser *d = userdata;
    Change *change = change_new_for_call(d->call, change_apply_delete, delete_user_one);

    if (!change)
        return -ENOMEM;
    change->userdata = d;
    change->life = r->life;
    d->open++;
    change_run(change);
    return ++d->batch == DELETE_BATCH;
}

static void delete_user_batch(DeleteUser *d) {
    d->batch = 0;
    d->open = 1;
    int r = store_list_email(d->call->m->store, d->email, delete_user_walk, d);
    if (r < 0)
        d->error = r;
    delete_user_close(d);
}

void request_delete_user(Call *c) {
    _cleanup_account_ Account account = { 0 };
    DeleteUser *d = CALL_LATER(DeleteUser, c);

    if (!d)
        return;
    d->open = 1;
    if (strchr(c->param, '@')) {
        snprintf(d->email, sizeof(d->email), "%s", c->param);
        email_normalize(d->email);
        if (store_account_by_email(c->m->store, d->email, &account) >= 0)
            strcpy(d->account, account.name);
    } else if (store_account_by_name(c->m->store, c->param, &account) >= 0) {
        strcpy(d->email, account.email);
        strcpy(d->account, account.name);
    }
    if (d->email[0])
        delete_user_batch(d);
    else
        delete_user_close(d);
}

/* ---- expire ---- */

static void expired(Manager *m, unsigned n, void *userdata) {
    Call *c = userdata;
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    json_object_open(&w, NULL);
    json_string(&w, "status", "ok");
    json_integer(&w, "expiradas", n);
    send_answer(c, &w);
}

void request_expire_due(Call *c) {
    Call *later = call_detach(c);

    if (!later)
        reply_errno(c, -ENOMEM);
    else
        lifecycle_expire_due(c->m, expired, later);
}

/* ---- block, unblock ---- */

static void answer_access(Change *change, const char *status, const char *reason) {
    Call *c = change->userdata;
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    open_answer(&w, status, &change->request);
    json_string(&w, "usuario", change->request.account);
    if (reason)
        json_string(&w, "razon", reason);
    json_bool(&w, "en_mysql", change->backend_changed);
    send_answer(c, &w);
}

static void blocked(Change *change, int r) {
    Call *c = change->userdata;

    if (r == -EPERM) {
        reply_detail(c, 400, TEXT_NO_ACCOUNT_YET);
        call_done(c);
    } else if (r < 0)
        reply_failed(c, r);
    else
        answer_access(change, "bloqueado", change->text);
}

void request_block(Call *c) {
    Refusal refusal = { 0 };
    _cleanup_free_ char *reason = NULL;

    int r = block_body_parse(c->req->entity.base, c->req->entity.len, &reason, &refusal);
    if (r >= 0 && !reason && !(reason = strdup("no especificada")))
        r = -ENOMEM;
    if (r < 0) {
        reply_unparsed(c, r, &refusal);
        return;
    }
    Change *change = change_for(c, change_apply_block, blocked);
    if (!change)
        return;
    call_detail(change->call, "%s", reason);
    change->text = TAKE_PTR(reason);
    change_run(change);
}

static void unblock_expired(Manager *m, unsigned n, void *userdata) {
    reply_state_text(userdata, "La solicitud no está bloqueada", STATE_EXPIRADO);
}

static void unblocked(Change *change, int r) {
    Call *c = change->userdata;

    if (r == -ETIME)
        lifecycle_expire_due(c->m, unblock_expired, c);
    else if (r == -EPERM)
        reply_state_text(c, "La solicitud no está bloqueada", change->was);
    else if (r < 0)
        reply_failed(c, r);
    else
        answer_access(change, "listo", NULL);
}

void request_unblock(Call *c) {
    Change *change = change_for(c, change_apply_unblock, unblocked);
    if (change)
        change_run(change);
}

/* ---- drop folders ---- */

static void answer_drop(Change *change, uint64_t bytes) {
    const Request *r = &change->request;
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    open_answer(&w, state_name(r->state), r);
    json_string(&w, "usuario", r->account);
    if (bytes > 0) {
        json_object_open(&w, "buzon");
        json_string(&w, "carpeta", DROP_FOLDER);
        json_integer(&w, "bytes", (int64_t) bytes);
        json_object_close(&w);
    } else
        json_null(&w, "buzon");
    send_answer(change->userdata, &w);
}

static void drop_opened(Change *change, int r) {
    Call *c = change->userdata;
    LogContext about = change_log(change);

    if (r == -EPERM) {
        bool due = state_has_days(change->was); /* and over, only not yet swept */
        reply_state_text(c, "No se puede abrir un buzón", due ? STATE_EXPIRADO : change->was);
    } else if (r < 0)
        reply_failed(c, r);
    else {
        about.account = change->request.account;
        about.message_id = MESSAGE_ID_DROP;
        log_line(LOG_INFO, &about, "The drop folder of %s is open, for %llu bytes", about.account, (unsigned long long) change->bytes);
        answer_drop(change, change->bytes);
    }
}

void request_drop(Call *c) {
    Refusal refusal = { 0 };
    uint64_t bytes;

    int r = drop_body_parse(c->req->entity.base, c->req->entity.len, &bytes, &refusal);
    if (r < 0) {
        reply_unparsed(c, r, &refusal);
        return;
    }
    if (accounts_are_outside(c->m)) { /* whoever serves them would let people write, and knows no limit */
        reply_detail(c, 400, TEXT_NO_DROP_IN_MARIADB);
        return;
    }
    Change *change = change_for(c, change_apply_drop, drop_opened);
    if (!change)
        return;
    change->bytes = bytes;
    call_detail(change->call, "bytes=%llu", (unsigned long long) bytes);
    change_run(change);
}

static void drop_closed(Change *change, int r) {
    Call *c = change->userdata;

    if (r == -ENODATA) {
        reply_detail(c, 404, TEXT_NO_DROP);
        call_done(c);
    } else if (r < 0)
        reply_failed(c, r);
    else
        answer_drop(change, 0);
}

void request_no_drop(Call *c) {
    Change *change = change_for(c, change_apply_no_drop, drop_closed);
    if (change)
        change_run(change);
}

/* ---- extend ---- */

static void extended(Change *change, int r) {
    Call *c = change->userdata;
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    if (r == -EPERM) {
        bool due = change->request.expires != 0 && change->request.expires <= change->now;
        reply_state_text(c, "No se puede extender", due ? STATE_EXPIRADO : change->was);
    } else if (r == -ERANGE) {
        char text[128];
        snprintf(text, sizeof(text), "Vigencia inválida: de 1 a %d días", c->m->settings->vigencia_max);
        reply_detail(c, 400, text);
        call_done(c);
    } else if (r < 0)
        reply_failed(c, r);
    else {
        json_object_open(&w, NULL);
        json_string(&w, "id", change->request.id);
        json_string(&w, "status", state_name(change->request.state));
        json_integer(&w, "vigencia", change->request.vigencia);
        json_time(&w, "expira", change->request.expires);
        send_answer(c, &w);
    }
}

void request_extend(Call *c) {
    Refusal refusal = { 0 };
    int days;

    int r = extend_body_parse(c->req->entity.base, c->req->entity.len, &days, &refusal);
    if (r < 0) {
        reply_unparsed(c, r, &refusal);
        return;
    }
    Change *change = change_for(c, change_apply_extend, extended);
    if (!change)
        return;
    change->days = days;
    call_detail(change->call, "dias=%d", days);
    if (days < 1 || days > c->m->settings->vigencia_max)
        change->days = c->m->settings->vigencia_max + 1; /* whatever it is, it is too much */
    change_run(change);
}
