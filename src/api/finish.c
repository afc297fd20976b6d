/* The way to `listo`, in one piece of work about the request's account (account_calls.h): whose the account is and its password (prepare); hash and token
 * written down; then the account made where logins look (ensure); then one transaction that moves the state while the folder is renamed into the home.
 *
 * Where accounts are the state database's alone the second and third fall away: one transaction writes all. Whatever is interrupted is done again from
 * the start: what was written down is found, so nothing is made twice, and the access task written with it takes an account away whose request ended.
 * A back end that is away or refuses keeps the request in `traslado`, with a message that says so. */
#include "api/lifecycle.h"

#include "api/access.h"
#include "api/account_calls.h"
#include "api/account_look_up.h"
#include "api/export_queue.h"
#include "api/folders.h"
#include "api/scheduler.h"
#include "api/settle.h"
#include "api/transfers.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/messages.h"

#include <errno.h>
#include <stdio.h>

#define DAY_SECONDS 86400
#define BACKEND_RETRY_MS 5000

typedef struct Finish {
    AccountCall call;
    Change *change; /* carries the request and, after the commit, the consequences */
    char email[EMAIL_MAX + 1];
    Account account;
    bool is_new;
    bool written;     /* hash and token are on disk */
    char *known_hash; /* the account's as it is on disk */
    uint64_t task;    /* number of the access task that was written with them; 0: none */
    AccountWanted others;
    char home[4096];
    AccountGrant grant;
} Finish;

static void finish_free(Finish *f) {
    wipe(&f->grant, sizeof(f->grant));
    account_done(&f->account);
    free(f->known_hash);
    free(f);
}

/* The account must still be as it was found. -EAGAIN: look again. */
static int check_account(StoreTx *tx, const Finish *f) {
    _cleanup_account_ Account now = { 0 };
    int r = tx_account_by_email(tx, f->email, &now);

    if (r < 0 && r != -ENOENT)
        return r;
    return (r == -ENOENT) != f->is_new || !streq_null(now.hash, f->known_hash) ? -EAGAIN : 0;
}

static int put_account(StoreTx *tx, const Finish *f) {
    int r = f->grant.kept ? 0 : tx_account_put(tx, &f->account);
    return r == -EEXIST ? -EAGAIN : r; /* the name is another address's meanwhile: take a longer one */
}

static bool is_whole(const Request *r) {
    return r->state == STATE_TRASLADO && r->copied;
}

/* Whoever is to get it without being asked for. It is ready whatever becomes of that. */
static int send_on(StoreTx *tx, Change *c) {
    unsigned added, left_out;
    Actor who = change_actor(c);
    char text[96];

    int r = tx_exports_automatic(tx, &c->request, c->now, &added, &left_out);
    if (r < 0 || left_out == 0)
        return r;
    snprintf(text, sizeof(text), "aviso: no hubo lugar para %u envíos automáticos", left_out);
    return tx_update(tx, &c->request, text, &who, NULL);
}

static int finish_apply(StoreTx *tx, Change *c) {
    Finish *f = c->userdata;

    if (!is_whole(&c->request))
        return -ESTALE;
    int r = check_account(tx, f);
    if (r >= 0 && !f->written)
        r = put_account(tx, f);
    if (r < 0)
        return r;
    strcpy(c->request.account, f->account.name);
    free(c->request.message);
    c->request.message = NULL;
    c->request.ready = c->now;
    c->request.expires = c->now + (int64_t) c->request.vigencia * DAY_SECONDS;
    c->request.token[0] = '\0';
    Actor who = change_actor(c);
    r = tx_move(tx, &c->request, STATE_LISTO, NULL, &who, NULL);
    if (r >= 0)
        r = send_on(tx, c);
    if (r >= 0 && f->task > 0)
        r = tx_access_task_done(tx, f->account.name, f->task);
    if (r < 0 || c->m->data_fd < 0)
        return r;
    return folders_settle(c->m->data_fd, &c->request); /* before the commit: nobody is told of a folder that isn't there */
}

void lifecycle_take_back(Manager *m, const Request *r) {
    LogContext about = { .request = r->id };
    _cleanup_account_ Account account = { 0 };
    bool is_new;

    if (m->data_fd < 0 || r->state != STATE_TRASLADO || !r->copied || account_look_up(m, r->email, &account, &is_new) < 0)
        return;
    int k = folders_take_back(m->data_fd, r, account.name);
    if (k < 0)
        log_line(LOG_ERR, &about, "Cannot take the request's folder back out of %s: %s", account.name, strerror(-k));
}

static void take_back_life(Manager *m, uint64_t life) {
    _cleanup_request_ Request r = { 0 };

    if (store_get_life(m->store, life, &r) >= 0)
        lifecycle_take_back(m, &r);
}

/* ---- ends ---- */

static void finish_end(Finish *f, int r, const AccountTrouble *trouble) {
    Transfer *x = transfers_find(f->change->m->transfers, f->change->life);

    if (x)
        x->finishing = false;
    account_work_end(f->change->m, f->email, r, trouble);
    finish_free(f);
}

static void finished(Change *c, int r) {
    Finish *f = c->userdata;
    Manager *m = c->m;

    if (r < 0 && r != -ESTALE && r != -ENOENT) {
        LogContext about = change_log(c);
        if (r != -EAGAIN)
            log_line(LOG_ERR, &about, "Cannot make the request ready, trying again: %s", strerror(-r));
        take_back_life(m, c->life);
        scheduler_restart(m, c->life, r == -EAGAIN ? 0 : BACKEND_RETRY_MS);
    }
    finish_end(f, 0, NULL);
    if (r >= 0)
        exports_kick(m);
    if (r < 0 && accounts_are_outside(m))
        access_kick(m); /* what was made for a request that is gone */
}

/* Stops before the commit; the request stays in traslado and is looked at again. */
static void finish_abort(Finish *f, int r) {
    Change *c = f->change;

    finished(c, r);
    change_free(c);
}

static int waits_apply(StoreTx *tx, Change *c) {
    Actor who = change_actor(c);

    if (!is_whole(&c->request) || streq_null(c->request.message, c->text))
        return -ESTALE;
    free(c->request.message);
    c->request.message = TAKE_PTR(c->text);
    return tx_update(tx, &c->request, c->request.message, &who, NULL);
}

static void waits_told(Change *c, int r) {
    LogContext about = change_log(c);

    if (r >= 0)
        log_line(LOG_WARNING, &about, "The copy is whole, its account waits for the account back end");
}

/* Says so where its owner looks: once, not at each try. */
static void tell_wait(Manager *m, uint64_t life, int r, const AccountTrouble *trouble) {
    Change *c = change_new(m, waits_apply, waits_told, NULL);
    char text[ACCOUNT_TROUBLE_SIZE + 128];

    if (!c)
        return;
    account_wait_message(r == -EAGAIN ? NULL : trouble->text[0] ? trouble->text : strerror(-r), text, sizeof(text));
    c->life = life;
    c->text = strdup(text);
    change_run(c);
}

/* The back end did not do it. It leaves its place among the copies to others. */
static void finish_wait(Finish *f) {
    Change *c = f->change;
    Transfer *x = transfers_find(c->m->transfers, c->life);
    AccountTrouble trouble = f->call.trouble;
    int r = f->call.r;

    if (!accounts_are_outside(c->m)) {
        finish_abort(f, r == -EAGAIN ? -EBUSY : r);
        return;
    }
    if (x)
        x->waiting = true;
    tell_wait(c->m, c->life, r, &trouble);
    finish_end(f, r, &trouble);
    scheduler_kick(c->m);
    change_free(c);
}

/* ---- steps ---- */

static AccountWish wish_of(const Finish *f) {
    const Settings *settings = f->change->m->settings;
    int64_t expires = f->change->now + (int64_t) f->change->request.vigencia * DAY_SECONDS;

    return (AccountWish) {
        .name = f->account.name,
        .home = f->home,
        .uid = settings->ftp_uid,
        .gid = settings->ftp_gid,
        .expires = f->others.enabled && f->others.expires > expires ? f->others.expires : expires,
        .enabled = true,
        .known_hash = f->account.hash,
        .token_held = f->account.token != NULL,
        .foreign = f->account.foreign,
    };
}

static void ensure_run(AccountCall *call) {
    Finish *f = (Finish *) call;
    AccountWish wish = wish_of(f);
    bool changed;

    call->r = call->m->accounts->v->ensure(call->m->accounts, &wish, &changed, &call->trouble);
}

static void ensure_done(AccountCall *call) {
    Finish *f = (Finish *) call;

    if (call->r == -EEXIST || call->r == -ENOENT) /* since prepare() its name has become somebody else's, or no longer is */
        finish_abort(f, -EBUSY);
    else if (call->r < 0)
        finish_wait(f);
    else
        change_run(f->change);
}

/* Before the back end has a row of ours this database knows it, and that somebody has to take it away should the request end meanwhile. */
static int write_job(StoreTx *tx, void *userdata) {
    Finish *f = userdata;
    _cleanup_request_ Request now = { 0 };
    int r = tx_get_life(tx, f->change->life, &now);

    if (r >= 0 && !is_whole(&now))
        r = -ESTALE;
    if (r >= 0)
        r = check_account(tx, f);
    if (r >= 0)
        r = put_account(tx, f);
    return r < 0 ? r : tx_access_task_put(tx, f->account.name, f->change->now, &f->task);
}

static void written(void *userdata, int r) {
    Finish *f = userdata;

    if (r >= 0) {
        f->written = true;
        f->is_new = false;
        free(f->known_hash);
        f->known_hash = f->account.hash ? strdup(f->account.hash) : NULL;
        if (f->account.hash && !f->known_hash)
            r = -ENOMEM;
    }
    if (r < 0)
        finish_abort(f, r);
    else {
        f->call.run = ensure_run;
        f->call.done = ensure_done;
        account_call(&f->call);
    }
}

static int take_grant(Manager *m, Finish *f) {
    const char *secret = f->grant.foreign ? f->grant.hash : f->grant.password;
    char *token = NULL, *hash = f->grant.foreign ? NULL : strdup(f->grant.hash);

    int r = fernet_encrypt(m->keys, secret, strlen(secret), utc_now(), &token);
    if (r < 0 || (!hash && !f->grant.foreign)) {
        free(hash);
        return r < 0 ? r : -ENOMEM;
    }
    free(f->account.hash);
    free(f->account.token);
    f->account.hash = hash;
    f->account.token = token;
    f->account.foreign = f->grant.foreign;
    if (f->account.created == 0)
        f->account.created = utc_now();
    if (f->grant.foreign) {
        LogContext about = change_log(f->change);
        about.account = f->account.name;
        log_line(LOG_NOTICE, &about, "Account %s was made by somebody else and is used as it is: the data can be fetched if its folder is %s", f->account.name, f->home);
    }
    return 0;
}

static void prepare_run(AccountCall *call) {
    Finish *f = (Finish *) call;
    AccountWish wish = wish_of(f);

    call->r = call->m->accounts->v->prepare(call->m->accounts, &wish, &f->grant, &call->trouble);
}

static void prepare_done(AccountCall *call) {
    Finish *f = (Finish *) call;
    Manager *m = call->m;
    int r = 0;

    if (call->r < 0) {
        finish_wait(f);
        return;
    }
    if (!f->grant.kept)
        r = take_grant(m, f);
    if (r < 0)
        finish_abort(f, r);
    else if (!accounts_are_outside(m))
        change_run(f->change);
    else {
        r = store_write(m->store, write_job, written, f);
        if (r < 0)
            written(f, r);
    }
}

/* Nobody else does anything about this account now: what is found stays true. */
static void finish_granted(void *userdata) {
    Finish *f = userdata;
    Change *c = f->change;
    _cleanup_request_ Request r = { 0 };
    int k = store_get_life(c->m->store, c->life, &r);

    if (k >= 0 && !is_whole(&r))
        k = -ESTALE;
    if (k >= 0)
        k = account_look_up(c->m, f->email, &f->account, &f->is_new);
    if (k >= 0 && f->account.hash && !(f->known_hash = strdup(f->account.hash)))
        k = -ENOMEM;
    if (k >= 0)
        k = store_account_wanted(c->m->store, f->account.name, &f->others);
    if (k < 0) {
        finish_abort(f, k);
        return;
    }
    c->now = manager_now(c->m); /* its days begin now */
    c->request.vigencia = r.vigencia;
    snprintf(f->home, sizeof(f->home), "%s/%s", c->m->settings->data_path, f->account.name);
    account_call(&f->call);
}

void lifecycle_finish(Manager *m, uint64_t life) {
    _cleanup_request_ Request r = { 0 };
    Transfer *x = transfers_find(m->transfers, life);

    if ((x && x->finishing) || store_get_life(m->store, life, &r) < 0 || !is_whole(&r))
        return;
    Finish *f = calloc(1, sizeof(*f));
    Change *c = f ? change_new(m, finish_apply, finished, f) : NULL;
    if (!c) {
        free(f);
        return;
    }
    f->call = (AccountCall) { .m = m, .run = prepare_run, .done = prepare_done };
    f->change = c;
    strcpy(f->email, r.email);
    c->life = life;
    c->unit_is_gone = true;
    strcpy(c->id, r.id);
    if (x)
        x->finishing = true;
    int k = account_work_begin(m, f->email, finish_granted, f);
    if (k < 0) {
        if (x)
            x->finishing = false;
        scheduler_restart(m, life, BACKEND_RETRY_MS);
        finish_free(f);
        change_free(c);
    }
}

/* ---- those that wait ---- */

static int finish_one(const Request *r, void *userdata) {
    Manager *m = userdata;
    const Transfer *x = transfers_find(m->transfers, r->life);

    if (x && x->waiting && !x->finishing)
        lifecycle_finish(m, r->life);
    return 0;
}

void lifecycle_finish_waiting(Manager *m) {
    int r = store_list(m->store, STATE_TRASLADO, 0, SIZE_MAX >> 1, finish_one, m);

    if (r < 0)
        log_errno(r, "Cannot read which requests wait for their accounts");
}

bool lifecycle_something_waits(Manager *m) {
    return transfers_waiting(m->transfers) > 0;
}
