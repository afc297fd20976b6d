/* Consequences of changes: a chain of steps, each asynchronous, each safe to repeat. The database has already committed;
 * whatever fails here is logged and left to the durable tasks and to reconcile.c. */
#include "api/settle.h"

#include "api/access.h"
#include "api/account_calls.h"
#include "api/expiry_timers.h"
#include "api/export_queue.h"
#include "api/folders.h"
#include "api/live_sessions.h"
#include "api/scheduler.h"
#include "api/sessions.h"
#include "api/transfers.h"
#include "api/watchers.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/messages.h"

#include <errno.h>
#include <stdio.h>

#define STOP_TRIES_MAX 5
#define STOP_PAUSE_MS 500
#define ASK_FTP_FOR_MS 15000 /* systemd starts a listener that was killed within a second */
#define ASK_FTP_PAUSE_MS 250
#define ASK_FTP_FAILED_PAUSE_MS 3000 /* somebody answers that it can't be done */
#define EXPORTS_STOPPED_MAX 16 /* more than ever run at once */
#define ACCESS_WAIT_MS 1000 /* a back end that takes longer is told all the same, only later; sessions end within 2 s */

typedef struct Settle Settle;
typedef void (*SettleStep)(Settle *s);

struct Settle {
    Change *change;
    SettleDone done;
    size_t at;
    unsigned stop_tries;
    size_t uploads; /* that are being stopped */
    /* what the FTP server is asked, again and again while nobody answers */
    SettleStep ask_ftp;
    const char *unheard; /* what follows if nobody ever does */
    uint64_t ask_ftp_by_ms;
};

static void settle_next(Settle *s);

static bool access_changed(const Change *c) {
    return state_has_days(c->request.state) || state_has_days(c->was);
}

static void on_step_reply(void *userdata, int r, const char *error_name, const char *message) {
    Settle *s = userdata;
    LogContext about = change_log(s->change);

    if (r < 0)
        log_line(LOG_WARNING, &about, "A step after the change to %s failed, will be repeated: %s", state_name(s->change->request.state),
                 message ? message : strerror(-r));
    settle_next(s);
}

static void step_sent(Settle *s, int r) {
    if (r < 0)
        on_step_reply(s, r, NULL, NULL);
}

static void step_stop_unit(Settle *s);

static void stop_again(Manager *m, void *userdata) {
    step_stop_unit(userdata);
}

/* Nothing is moved away under a worker that may still write: ask a few times. */
static void on_stopped(void *userdata, int r, const char *error_name, const char *message) {
    Settle *s = userdata;

    if (r == -EAGAIN && s->stop_tries++ < STOP_TRIES_MAX && manager_after(s->change->m, STOP_PAUSE_MS, stop_again, s) >= 0)
        return;
    on_step_reply(s, r, error_name, message);
}

static void step_stop_unit(Settle *s) {
    Change *c = s->change;

    if (!c->m->bus || !state_is_in_flight(c->was) || state_is_in_flight(c->request.state) || c->unit_is_gone) {
        settle_next(s);
        return;
    }
    int r = broker_stop_unit(c->m->bus, UNIT_TRANSFER, c->request.id, on_stopped, s, NULL);
    if (r < 0)
        on_stopped(s, r, NULL, NULL);
}

/* Unless it was given again meanwhile. Where this does not come to pass its task does it. */
static int take_drop(const Change *c) {
    uint64_t bytes;
    int r;

    if (!c->drop_ended)
        return 0;
    r = store_drop(c->m->store, c->request.account, &bytes);
    return r < 0 || bytes > 0 ? r : folders_drop_take(c->m->data_fd, c->request.account, c->request.id, c->request.life);
}

static void step_folder(Settle *s) {
    Change *c = s->change;

    if (!state_is_in_flight(c->request.state))
        transfers_remove(c->m->transfers, c->request.life);
    if (c->m->data_fd >= 0) {
        int r = take_drop(c), k = folders_settle(c->m->data_fd, &c->request);
        if (r >= 0)
            r = k;
        if (r < 0) {
            LogContext about = change_log(c);
            c->m->folders_checked = false;
            log_line(LOG_ERR, &about, "Cannot move the folder of a request that is %s now: %s", state_name(c->request.state), strerror(-r));
        }
    }
    settle_next(s);
}

static void ask_ftp_again(Manager *m, void *userdata) {
    Settle *s = userdata;
    s->ask_ftp(s);
}

/* When that is over, sessions.c finds them again. */
static void ask_ftp_later(Settle *s, int r, const char *message) {
    int pause = r == -EAGAIN ? ASK_FTP_PAUSE_MS : ASK_FTP_FAILED_PAUSE_MS;
    LogContext about = change_log(s->change);

    if (monotonic_ms() < s->ask_ftp_by_ms && manager_after(s->change->m, pause, ask_ftp_again, s) >= 0)
        return;
    about.account = s->change->request.account;
    about.message_id = MESSAGE_ID_SESSIONS;
    log_line(LOG_ERR, &about, "FTP sessions of %s may %s: %s", s->change->request.account, s->unheard, message ? message : strerror(-r));
    sessions_compare_later(s->change->m);
    settle_next(s);
}

static void ask_ftp(Settle *s, SettleStep step, const char *unheard) {
    s->ask_ftp = step;
    s->unheard = unheard;
    s->ask_ftp_by_ms = monotonic_ms() + ASK_FTP_FOR_MS;
    step(s);
}

/* The listener did not answer. Stopped for good it takes its sessions along; killed it leaves them to the next one. */
static void on_ftp_state(void *userdata, int r, const char *active, const char *status) {
    Settle *s = userdata;
    if (r >= 0 && unit_is_dead(active))
        settle_next(s);
    else
        ask_ftp_later(s, -EAGAIN, "the FTP server does not answer");
}

static void on_ftp_reply(void *userdata, int r, const char *error_name, const char *message) {
    Settle *s = userdata;

    if (r == -EAGAIN && live_sessions_state(s->change->m, on_ftp_state, s) >= 0)
        return;
    if (r < 0)
        ask_ftp_later(s, r, message);
    else
        settle_next(s);
}

static void end_sessions(Settle *s) {
    Change *c = s->change;
    int64_t expires;
    bool blocked;

    /* The last request of an account that could be fetched takes every session of it along. */
    int r = store_account_access(c->m->store, c->request.account, &expires, &blocked);
    bool closed = r < 0 || expires == 0 || c->drop_ended; /* a session's jail can't be made smaller */
    live_sessions_end(c->m, c->request.account, closed ? "" : c->request.id, NULL, on_ftp_reply, s);
}

static void step_sessions(Settle *s) {
    Change *c = s->change;

    bool leaves = c->was == STATE_LISTO && c->request.state != STATE_LISTO;

    if (!c->m->bus || (!leaves && !c->drop_ended))
        settle_next(s);
    else
        ask_ftp(s, end_sessions, "go on though its access was closed, will be ended later");
}

static void set_end(Settle *s) {
    const Change *c = s->change;
    int64_t expires;
    bool blocked;

    int r = store_account_access(c->m->store, c->request.account, &expires, &blocked);
    if (r < 0)
        step_sent(s, r);
    else if (expires == 0) /* closed: its sessions have ended */
        settle_next(s);
    else
        live_sessions_set_end(c->m, c->request.account, expires, on_ftp_reply, s);
}

/* Sessions that go on learn when the access of their account ends now. */
static void step_end(Settle *s) {
    const Change *c = s->change;

    if (c->m->bus && access_changed(c))
        ask_ftp(s, set_end, "not know when its access ends now, will be told later");
    else
        settle_next(s);
}

/* ---- what was on its way to a partner ---- */

/* The numbers of those that this change has cancelled and that may have a unit. */
typedef struct Uploads {
    const Change *change;
    uint32_t numbers[EXPORTS_STOPPED_MAX];
    size_t n;
} Uploads;

static int collect_upload(const Export *e, void *userdata) {
    Uploads *u = userdata;

    if (e->state == EXPORT_CANCELADO && e->run > 0 && e->ended >= u->change->now && u->n < ELEMENTS(u->numbers))
        u->numbers[u->n++] = e->n;
    return 0;
}

static void on_upload_stopped(void *userdata, int r, const char *error_name, const char *message) {
    Settle *s = userdata;

    if (--s->uploads > 0)
        return;
    exports_settle(s->change->m);
    settle_next(s);
}

static void step_uploads(Settle *s) {
    Change *c = s->change;
    Uploads u = { .change = c };

    if (c->was == STATE_LISTO && c->request.state != STATE_LISTO)
        (void) !store_list_exports(c->m->store, c->request.life, collect_upload, &u);
    s->uploads = u.n;
    for (size_t i = 0; i < u.n; i++)
        export_stop(c->m, c->request.id, u.numbers[i], on_upload_stopped, s);
    if (u.n == 0)
        settle_next(s);
}

/* ---- the account back end, when it has to be told ---- */

/* Of two that hold it, the back end's answer and the clock, the first lets the chain go on. */
typedef struct AccessWait {
    Settle *settle; /* NULL: it has gone on */
    char account[ACCOUNT_NAME_MAX + 1];
    bool told;
} AccessWait;

static void access_goes_on(AccessWait *wait) {
    Settle *s = wait->settle;

    wait->settle = NULL;
    if (s)
        settle_next(s);
}

static void access_is_told(Manager *m, bool changed, void *userdata) {
    AccessWait *wait = userdata;

    wait->told = true;
    if (!wait->settle) {
        sessions_end_closed(m, wait->account);
        free(wait);
        return;
    }
    wait->settle->change->backend_changed = changed;
    access_goes_on(wait); /* the clock frees it */
}

static void access_is_late(Manager *m, void *userdata) {
    AccessWait *wait = userdata;
    bool told = wait->told;

    access_goes_on(wait);
    if (told)
        free(wait);
}

static void step_access(Settle *s) {
    Change *c = s->change;
    AccessWait *wait;

    if (!accounts_are_outside(c->m) || !c->request.account[0] || !access_changed(c) || c->was == STATE_TRASLADO) {
        if (c->was == STATE_TRASLADO && state_is_final(c->request.state))
            access_kick(c->m); /* its account may have been made already */
        settle_next(s);
        return;
    }
    wait = calloc(1, sizeof(*wait));
    if (!wait || manager_after(c->m, ACCESS_WAIT_MS, access_is_late, wait) < 0) {
        free(wait);
        step_sent(s, -ENOMEM);
        return;
    }
    wait->settle = s;
    strcpy(wait->account, c->request.account);
    access_tell(c->m, c->request.account, access_is_told, wait);
}

static void on_timer(void *userdata, int r, const char *error_name, const char *message) {
    Settle *s = userdata;

    if (r < 0)
        expiry_timers_mend(s->change->m);
    on_step_reply(s, r, error_name, message);
}

static void step_timer(Settle *s) {
    Change *c = s->change;
    const Request *r = &c->request;
    bool lives = state_has_days(r->state);

    if (!c->m->bus || !access_changed(c))
        settle_next(s);
    else if (lives && expiry_timers_near(c->m, r->life))
        step_sent(s, broker_arm_expiry(c->m->bus, r->id, r->life, r->expires, on_timer, s, NULL));
    else
        step_sent(s, broker_disarm_expiry(c->m->bus, r->id, on_timer, s, NULL));
}

static void step_tell(Settle *s) {
    Change *c = s->change;
    LogContext about = change_log(c);

    about.account = c->request.account[0] ? c->request.account : NULL;
    if (c->request.state != c->was) {
        about.message_id = message_id_for_state(c->request.state);
        log_line(c->request.state == STATE_ERROR ? LOG_WARNING : LOG_INFO, &about, "%s → %s%s%s", state_name(c->was),
                 state_name(c->request.state), c->request.message ? ": " : "", c->request.message ? c->request.message : "");
    }
    if (c->apply == change_apply_extend) {
        char until[RFC3339_SIZE];
        rfc3339_format(c->request.expires, until);
        about.message_id = MESSAGE_ID_EXTENDED;
        log_line(LOG_INFO, &about, "Prolonged to %d days, until %s", c->request.vigencia, until);
    }
    if (c->drop_ended) {
        about.message_id = MESSAGE_ID_DROP;
        log_line(LOG_INFO, &about, "The drop folder of %s is closed, what was put into it is removed", c->request.account);
    }
    watchers_publish(c->m, c->request.life);
    tasks_kick(c->m);
    scheduler_kick(c->m);
    settle_next(s);
}

static void step_answer(Settle *s) {
    s->done(s->change);
    s->done = NULL;
    settle_next(s);
}

static const SettleStep steps[] = { step_stop_unit, step_folder, step_access, step_sessions, step_end, step_uploads, step_tell, step_timer, step_answer };

static void settle_next(Settle *s) {
    if (s->at < ELEMENTS(steps))
        steps[s->at++](s);
    else
        free(s);
}

void settle_change(Change *c, SettleDone done) {
    Settle *s = malloc(sizeof(*s));

    if (!s) {
        log_error("No memory for what follows a change; reconcile will do it");
        done(c);
        return;
    }
    *s = (Settle) { .change = c, .done = done };
    settle_next(s);
}
