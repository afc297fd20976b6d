/* The way to `listo`: the account is made or found, its password encrypted, then one transaction writes account and state while the folder is renamed into
 * the home. Whatever is interrupted is done again from the start. */
#include "api/lifecycle.h"

#include "api/folders.h"
#include "api/scheduler.h"
#include "api/settle.h"
#include "api/transfers.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "crypto/password.h"
#include "model/account.h"

#include <errno.h>
#include <stdio.h>

#define DAY_SECONDS 86400
#define BACKEND_RETRY_MS 5000

typedef struct Finish {
    Change *change; /* carries the request and, after the commit, the consequences */
    Account account;
    bool is_new;
    char *known_hash; /* the account's when it was looked up */
    char home[4096];
    AccountGrant grant;
    int r;
} Finish;

static void finish_free(Finish *f) {
    wipe(&f->grant, sizeof(f->grant));
    account_done(&f->account);
    free(f->known_hash);
    free(f);
}

/* The address's account, or the name that it will have: longer when shorter ones belong to others. */
static int find_account(Manager *m, const char *email, Account *ret, bool *ret_new) {
    uint8_t digest[32];
    int r = store_account_by_email(m->store, email, ret);

    *ret_new = r == -ENOENT;
    if (r != -ENOENT)
        return r;
    sha256(email, strlen(email), digest);
    for (size_t n = ACCOUNT_SUFFIX_MIN; n <= ACCOUNT_SUFFIX_MAX; n++) {
        _cleanup_account_ Account other = { 0 };
        r = account_name_make(email, digest, n, ret->name);
        if (r < 0)
            return r;
        r = store_account_by_name(m->store, ret->name, &other);
        if (r == -ENOENT) {
            strcpy(ret->email, email);
            return 0;
        }
        if (r < 0)
            return r;
    }
    return -EEXIST;
}

static int finish_apply(StoreTx *tx, Change *c) {
    Finish *f = c->userdata;
    _cleanup_account_ Account now = { 0 };

    if (c->request.state != STATE_TRASLADO || !c->request.copied)
        return -ESTALE;
    int r = tx_account_by_email(tx, c->request.email, &now);
    if (r < 0 && r != -ENOENT)
        return r;
    if ((r == -ENOENT) != f->is_new || !streq_null(now.hash, f->known_hash))
        return -EAGAIN; /* another request of the same person was faster: look again */
    if (!f->grant.kept) {
        r = tx_account_put(tx, &f->account);
        if (r < 0)
            return r == -EEXIST ? -EAGAIN : r;
    }
    strcpy(c->request.account, f->account.name);
    c->request.ready = c->now;
    c->request.expires = c->now + (int64_t) c->request.vigencia * DAY_SECONDS;
    c->request.token[0] = '\0';
    Actor who = change_actor(c);
    r = tx_move(tx, &c->request, STATE_LISTO, NULL, &who, NULL);
    if (r < 0 || c->m->data_fd < 0)
        return r;
    return folders_settle(c->m->data_fd, &c->request); /* before the commit: nobody is told of a folder that isn't there */
}

void lifecycle_take_back(Manager *m, const Request *r) {
    LogContext about = { .request = r->id };
    _cleanup_account_ Account account = { 0 };
    bool is_new;

    if (m->data_fd < 0 || r->state != STATE_TRASLADO || !r->copied || find_account(m, r->email, &account, &is_new) < 0)
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

static void finished(Change *c, int r) {
    Finish *f = c->userdata;
    Transfer *x = transfers_find(c->m->transfers, c->life);

    if (x)
        x->finishing = false;
    if (r < 0 && r != -ESTALE && r != -ENOENT) {
        LogContext about = change_log(c);
        if (r != -EAGAIN)
            log_line(LOG_ERR, &about, "Cannot make the request ready, trying again: %s", strerror(-r));
        take_back_life(c->m, c->life);
        scheduler_restart(c->m, c->life, r == -EAGAIN ? 0 : BACKEND_RETRY_MS);
    }
    finish_free(f);
}

/* Stops before the commit; the request stays in traslado and is looked at again. */
static void finish_abort(Finish *f, int r) {
    Change *c = f->change;

    finished(c, r);
    change_free(c);
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
    return 0;
}

static void ensure_run(void *userdata) {
    Finish *f = userdata;
    const Change *c = f->change;
    const Settings *settings = c->m->settings;
    AccountWish wish = {
        .name = f->account.name,
        .home = f->home,
        .uid = settings->ftp_uid,
        .gid = settings->ftp_gid,
        .expires = c->now + (int64_t) c->request.vigencia * DAY_SECONDS,
        .enabled = true,
        .known_hash = f->account.hash,
        .token_held = f->account.token != NULL,
        .foreign = f->account.foreign,
    };
    AccountTrouble trouble = { 0 };
    bool changed;

    f->r = c->m->accounts->v->prepare(c->m->accounts, &wish, &f->grant, &trouble);
    if (f->r < 0)
        return;
    wish.foreign = f->grant.foreign;
    if (!f->grant.kept)
        wish.known_hash = f->grant.hash;
    f->r = c->m->accounts->v->ensure(c->m->accounts, &wish, &changed, &trouble);
}

static void ensure_done(void *userdata) {
    Finish *f = userdata;
    int r = f->r;

    if (r >= 0 && !f->grant.kept)
        r = take_grant(f->change->m, f);
    if (r < 0)
        finish_abort(f, r == -EAGAIN ? -EBUSY : r);
    else
        change_run(f->change);
}

void lifecycle_finish(Manager *m, uint64_t life) {
    _cleanup_request_ Request r = { 0 };
    Transfer *x = transfers_find(m->transfers, life);

    if ((x && x->finishing) || store_get_life(m->store, life, &r) < 0 || r.state != STATE_TRASLADO || !r.copied)
        return;
    Finish *f = calloc(1, sizeof(*f));
    Change *c = f ? change_new(m, finish_apply, finished, f) : NULL;
    if (!c) {
        free(f);
        return;
    }
    f->change = c;
    c->life = life;
    c->unit_is_gone = true;
    strcpy(c->id, r.id);
    c->request.vigencia = r.vigencia;
    if (x)
        x->finishing = true;
    int k = find_account(m, r.email, &f->account, &f->is_new);
    if (k >= 0 && f->account.hash && !(f->known_hash = strdup(f->account.hash)))
        k = -ENOMEM;
    if (k >= 0) {
        snprintf(f->home, sizeof(f->home), "%s/%s", m->settings->data_path, f->account.name);
        k = pool_submit(m->pool, ensure_run, ensure_done, f);
    }
    if (k < 0)
        finish_abort(f, k);
}
