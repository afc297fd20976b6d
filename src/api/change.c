/* The moves of the state machine, as jobs for the store's writer. What follows from a move outside the database
 * (units, folders, sessions) is settle.c's business; when a move is allowed at all is model/state.c's. */
#include "api/change.h"

#include "api/account_calls.h"
#include "api/audit.h"
#include "api/folders.h"
#include "api/settle.h"
#include "basic/strings.h"
#include "model/texts.h"

#include <errno.h>
#include <stdio.h>

#define DAY_SECONDS 86400

static Change *change_alloc(Manager *m, ChangeApply apply, ChangeDone done) {
    Change *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->m = m;
    c->apply = apply;
    c->done = done;
    c->now = manager_now(m);
    manager_hold(m);
    return c;
}

Change *change_new(Manager *m, ChangeApply apply, ChangeDone done, void *userdata) {
    Change *c = change_alloc(m, apply, done);

    if (!c)
        return NULL;
    strcpy(c->actor, "tempoftpd");
    c->userdata = userdata;
    return c;
}

Change *change_new_for_call(Call *call, ChangeApply apply, ChangeDone done) {
    Change *c = change_alloc(call->m, apply, done);

    if (!c)
        return NULL;
    strcpy(c->actor, call->actor);
    strcpy(c->request_id, call->request_id);
    strcpy(c->owner, call_owner(call) ? call_owner(call) : "");
    c->userdata = c->call = call;
    return c;
}

Change *change_free(Change *c) {
    if (!c)
        return NULL;
    manager_release(c->m);
    request_done(&c->request);
    free(c->text);
    free(c);
    return NULL;
}

Actor change_actor(const Change *c) {
    return (Actor) { .name = c->actor, .request_id = c->request_id[0] ? c->request_id : NULL, .now = c->now };
}

LogContext change_log(const Change *c) {
    return (LogContext) { .request = c->request.id[0] ? c->request.id : c->id, .http = c->request_id[0] ? c->request_id : NULL };
}

static int change_job(StoreTx *tx, void *userdata) {
    Change *c = userdata;
    int r = c->life ? tx_get_life(tx, c->life, &c->request) : tx_get(tx, c->id, &c->request);

    if (r < 0)
        return r;
    if (c->owner[0] && !streq(c->owner, c->request.email))
        return -ENOENT;
    c->was = c->request.state;
    c->life = c->request.life;
    if (c->run != 0 && c->run != c->request.run)
        return -ESTALE;
    r = c->apply(tx, c);
    return r >= 0 && c->call ? audit_append(tx, c->call, c->request.id, 200) : r;
}

static void change_settled(Change *c) {
    c->done(c, 0);
    change_free(c);
}

static void change_committed(void *userdata, int r) {
    Change *c = userdata;

    if (r < 0) {
        c->done(c, r);
        change_free(c);
        return;
    }
    settle_change(c, change_settled);
}

void change_run(Change *c) {
    int r = store_write(c->m->store, change_job, change_committed, c);

    if (r < 0)
        change_committed(c, r);
}

/* ---- moves ---- */

static int move(StoreTx *tx, Change *c, State to, const char *text) {
    Actor who = change_actor(c);
    return tx_move(tx, &c->request, to, text, &who, NULL);
}

static int update(StoreTx *tx, Change *c, const char *text) {
    Actor who = change_actor(c);
    return tx_update(tx, &c->request, text, &who, NULL);
}

static int set_message(Request *r, const char *text) {
    char *copy = NULL;

    if (text && !(copy = strdup(text)))
        return -ENOMEM;
    free(r->message);
    r->message = copy;
    return 0;
}

static int put_task(StoreTx *tx, const Change *c, TaskKind kind) {
    Task t = { .life = c->request.life, .kind = kind, .not_before = 0 };
    strcpy(t.id, c->request.id);
    return tx_task_put(tx, &t);
}

/* The account's drop folder is no longer to be written, and to be removed. -ENODATA: it has none. */
static int end_drop(StoreTx *tx, Change *c) {
    uint64_t bytes;
    int r = tx_drop(tx, c->request.account, &bytes);

    if (r >= 0 && bytes == 0)
        r = -ENODATA;
    if (r >= 0)
        r = tx_drop_put(tx, c->request.account, 0);
    if (r >= 0)
        r = put_task(tx, c, TASK_DROP);
    c->drop_ended = r >= 0;
    return r;
}

/* The account's back end is to be told, when it is one that has to be. */
static int put_access_task(StoreTx *tx, const Change *c) {
    return accounts_are_outside(c->m) ? tx_access_task_put(tx, c->request.account, c->now, NULL) : 0;
}

/* Nothing of it goes anywhere any more. Those who send it are stopped by settle.c. */
static int end_exports(StoreTx *tx, const Change *c) {
    return tx_exports_cancel_life(tx, c->request.life, TEXT_EXPORT_REQUEST_ENDED, c->now);
}

/* The end of a request: whatever must still be taken away becomes a durable task in the same transaction. */
static int leave(StoreTx *tx, Change *c, State to, const char *text) {
    bool had_access = state_has_days(c->was);
    bool had_folder = c->was != STATE_RECIBIDO && c->was != STATE_EXPIRADO && c->was != STATE_ERROR;
    uint64_t uses;
    int r;

    c->request.token[0] = '\0';
    r = move(tx, c, to, text);
    if (r >= 0 && had_access)
        r = end_exports(tx, c);
    if (r >= 0 && had_folder)
        r = put_task(tx, c, TASK_PURGE);
    if (r < 0 || !had_access)
        return r;
    r = put_access_task(tx, c);
    if (r >= 0)
        r = tx_account_uses(tx, c->request.account, &uses);
    if (r < 0 || uses > 0)
        return r;
    r = end_drop(tx, c);
    if (r == -ENODATA)
        r = 0;
    return r < 0 ? r : tx_account_clear(tx, c->request.account, accounts_are_outside(c->m));
}

int change_apply_sized(StoreTx *tx, Change *c) {
    if (c->request.state == STATE_TRASLADO && c->request.sized)
        return 0; /* the worker asks again: its first answer was lost */
    if (c->request.state != STATE_PREPARANDO)
        return -ESTALE;
    c->request.sized = true;
    c->request.bytes = c->bytes;
    c->request.files = c->files;
    return move(tx, c, STATE_TRASLADO, NULL);
}

int change_apply_copied(StoreTx *tx, Change *c) {
    if (c->request.state != STATE_TRASLADO)
        return -ESTALE;
    c->request.copied = true;
    c->request.bytes = c->bytes;
    c->request.files = c->files;
    return update(tx, c, NULL);
}

int change_apply_fail(StoreTx *tx, Change *c) {
    char message[RUTA_MAX + 512];

    if (!state_is_under_way(c->request.state))
        return -ESTALE;
    cause_message(c->cause, c->text, message, sizeof(message));
    int r = set_message(&c->request, message);
    if (r < 0)
        return r;
    return leave(tx, c, STATE_ERROR, message);
}

int change_apply_block(StoreTx *tx, Change *c) {
    if (!state_has_days(c->request.state))
        return -EPERM;
    int r = set_message(&c->request, c->text);
    if (r < 0)
        return r;
    r = put_access_task(tx, c);
    if (r >= 0)
        r = end_exports(tx, c);
    if (r < 0)
        return r;
    return c->request.state == STATE_BLOQUEADO ? update(tx, c, c->text) : move(tx, c, STATE_BLOQUEADO, c->text);
}

int change_apply_unblock(StoreTx *tx, Change *c) {
    if (c->request.state != STATE_BLOQUEADO)
        return -EPERM;
    if (c->request.expires <= c->now)
        return -ETIME;
    int r = set_message(&c->request, NULL);
    if (r >= 0)
        r = put_access_task(tx, c);
    if (r >= 0)
        r = move(tx, c, STATE_LISTO, NULL);
    if (r < 0 || c->m->data_fd < 0)
        return r;
    return folders_settle(c->m->data_fd, &c->request); /* back in the home before anyone may log in for it */
}

int change_apply_extend(StoreTx *tx, Change *c) {
    Request *r = &c->request;

    if (!state_has_days(r->state))
        return -EPERM;
    if (r->expires <= c->now)
        return -EPERM; /* due, only not yet swept: extending never revives */
    int64_t expires = r->expires + (int64_t) c->days * DAY_SECONDS;
    if (expires > c->now + (int64_t) c->m->settings->vigencia_max * DAY_SECONDS)
        return -ERANGE;
    r->expires = expires;
    r->vigencia += c->days;
    int k = put_access_task(tx, c);
    return k < 0 ? k : update(tx, c, "vigencia extendida");
}

/* Before the commit: nobody is told of a folder that isn't there. One that an earlier drop left behind is somebody else's. */
static int make_drop_folder(StoreTx *tx, const Change *c, bool is_new) {
    const Request *r = &c->request;
    int k = 0;

    if (c->m->data_fd < 0)
        return 0;
    if (is_new && folders_drop_exists(c->m->data_fd, r->account)) {
        k = put_task(tx, c, TASK_DROP);
        if (k >= 0)
            k = folders_drop_take(c->m->data_fd, r->account, r->id, r->life);
    }
    return k < 0 ? k : folders_drop_make(c->m->data_fd, r->account);
}

int change_apply_drop(StoreTx *tx, Change *c) {
    char text[64];
    uint64_t before;

    if (!state_has_days(c->request.state) || c->request.expires <= c->now)
        return -EPERM;
    int r = tx_drop(tx, c->request.account, &before);
    if (r >= 0)
        r = make_drop_folder(tx, c, before == 0);
    if (r >= 0)
        r = tx_drop_put(tx, c->request.account, c->bytes);
    snprintf(text, sizeof(text), "buzón de %llu bytes", (unsigned long long) c->bytes);
    return r < 0 ? r : update(tx, c, text);
}

int change_apply_no_drop(StoreTx *tx, Change *c) {
    if (!state_has_days(c->request.state))
        return -ENODATA;
    int r = end_drop(tx, c);
    return r < 0 ? r : update(tx, c, "buzón retirado");
}

int change_apply_expire(StoreTx *tx, Change *c) {
    if (!state_has_days(c->request.state))
        return -EALREADY;
    if (c->request.expires > c->now)
        return -EALREADY;
    return leave(tx, c, STATE_EXPIRADO, NULL);
}

int change_apply_delete(StoreTx *tx, Change *c) {
    return leave(tx, c, STATE_ELIMINADO, NULL);
}
