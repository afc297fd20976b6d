/* A request's own course: ends of units, failures, expiry. The way to `listo` is finish.c's. */
#include "api/lifecycle.h"

#include "api/scheduler.h"
#include "api/settle.h"
#include "api/transfers.h"
#include "basic/strings.h"
#include "model/messages.h"

#include <errno.h>
#include <stdio.h>

/* ---- failing ---- */

static void failed(Change *c, int r) {
    if (r < 0 && r != -ESTALE && r != -ENOENT) {
        LogContext about = change_log(c);
        log_line(LOG_ERR, &about, "Cannot write down a failure, looking again: %s", strerror(-r));
        scheduler_restart(c->m, c->life, 2000);
    }
}

void lifecycle_fail(Manager *m, uint64_t life, uint32_t run, Cause cause, const char *detail) {
    Change *c = change_new(m, change_apply_fail, failed, NULL);

    if (!c)
        return;
    c->life = life;
    c->run = run;
    c->cause = cause;
    c->text = detail ? strdup(detail) : NULL;
    change_run(c);
}

/* ---- ends of units ---- */

/* How a unit may end without its program having had its say: killed from outside, or by the kernel. Starting it again is right. */
static bool end_is_loss(const char *result) {
    static const char *const losses[] = { "", "success", "signal", "core-dump", "oom-kill", "watchdog", "timeout" };

    for (size_t i = 0; i < ELEMENTS(losses); i++)
        if (streq(result, losses[i]))
            return true;
    return false;
}

void lifecycle_transfer_ended(Manager *m, uint64_t life, uint32_t run, const char *result, const char *exit_code, const char *exit_status) {
    _cleanup_request_ Request r = { 0 };
    char detail[128];

    if (store_get_life(m->store, life, &r) < 0 || r.run != run || !state_is_in_flight(r.state))
        return;
    if (r.copied) {
        lifecycle_finish(m, life);
        return;
    }
    snprintf(detail, sizeof(detail), "%.32s: %.32s/%.32s", result, exit_code, exit_status);
    if (!end_is_loss(result) || run >= RUNS_MAX) {
        lifecycle_fail(m, life, run, CAUSE_UNIT, detail);
        return;
    }
    unsigned pause = run_pause(run);
    LogContext about = { .request = r.id, .message_id = MESSAGE_ID_TRANSFER_RETRY };
    log_line(LOG_WARNING, &about, "The transfer unit was lost (%s), start %u of %d follows in %u s", detail, run + 1, RUNS_MAX, pause);
    scheduler_restart(m, life, pause * 1000);
}

static void on_unit_ended(void *userdata, const char *id) {
    Manager *m = userdata;
    _cleanup_request_ Request r = { 0 };

    if (store_get(m->store, id, &r) >= 0 && r.state == STATE_TRASLADO && r.copied)
        lifecycle_finish(m, r.life);
}

void lifecycle_watch_unit(Manager *m, uint64_t life) {
    Transfer *x = transfers_find(m->transfers, life);

    if (!x || x->watch)
        return;
    int r = unit_watch_ended(m->bus, UNIT_TRANSFER, x->id, on_unit_ended, m, &x->watch);
    if (r < 0)
        log_errno(r, "Cannot watch tempoftp-transfer-%s.service, its report remains", x->id);
}

/* ---- expiry ---- */

#define EXPIRE_BATCH 64 /* at a time: each has calls on the bus, which allows 128 */

typedef struct Expiry {
    Manager *m;
    LifecycleExpired done;
    void *userdata;
    unsigned open, expired;
    size_t n;
    uint64_t lives[EXPIRE_BATCH];
} Expiry;

static void expiry_start(Expiry *e);

static void expiry_close_one(Expiry *e) {
    if (--e->open > 0)
        return;
    if (e->n == EXPIRE_BATCH) { /* there may be more */
        expiry_start(e);
        return;
    }
    if (e->done)
        e->done(e->m, e->expired, e->userdata);
    manager_release(e->m);
    free(e);
}

static void expired_one(Change *c, int r) {
    Expiry *e = c->userdata;

    if (r >= 0)
        e->expired++;
    else if (r != -EALREADY && r != -ENOENT) {
        LogContext about = change_log(c);
        log_line(LOG_ERR, &about, "Cannot expire a request, the next sweep tries again: %s", strerror(-r));
        e->n = 0; /* no endless loop over what does not move */
    }
    expiry_close_one(e);
}

static int expiry_collect(const Request *r, void *userdata) {
    Expiry *e = userdata;

    e->lives[e->n++] = r->life;
    return e->n == EXPIRE_BATCH;
}

static void expiry_start(Expiry *e) {
    e->n = 0;
    e->open = 1;
    int r = store_list_due(e->m->store, manager_now(e->m), EXPIRE_BATCH, expiry_collect, e);
    if (r < 0) {
        log_errno(r, "Cannot read what is due");
        e->n = 0;
    }
    size_t n = e->n;
    for (size_t i = 0; i < n; i++) {
        Change *c = change_new(e->m, change_apply_expire, expired_one, e);
        if (!c)
            break;
        c->life = e->lives[i];
        e->open++;
        change_run(c);
    }
    expiry_close_one(e);
}

void lifecycle_expire_due(Manager *m, LifecycleExpired done, void *userdata) {
    Expiry *e = calloc(1, sizeof(*e));

    if (!e) {
        log_error("No memory for the expiry sweep; the next one tries again");
        if (done)
            done(m, 0, userdata);
        return;
    }
    e->m = m;
    e->done = done;
    e->userdata = userdata;
    manager_hold(m);
    expiry_start(e);
}
