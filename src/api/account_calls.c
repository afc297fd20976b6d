/* The lane to the account back end: its threads, its turns, and what happens while it is in trouble.
 *
 * It knows neither SQL nor requests: what waits is counted in the state database, and those who know what to do about it are called (access.h, lifecycle.h,
 * account_rows.h). */
#include "api/account_calls.h"

#include "api/access.h"
#include "api/account_rows.h"
#include "api/lifecycle.h"
#include "api/transfers.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/messages.h"

#include <errno.h>
#include <stdatomic.h>

#define LANE_THREADS 2
#define RETRY_MS_FIRST 1000
#define RETRY_MS_MAX 30000
#define TRIES_QUIET 4 /* retries that need no line of their own: the first has been said */

struct AccountCalls {
    Manager *m;
    Pool *lane; /* NULL: accounts are not outside, the service's own pool does */
    Turns *turns;
    unsigned open;         /* pieces of work under way */
    atomic_uint failures;  /* how often it was away: what was queued before is not tried on its own */
    int r;                 /* 0, or how it failed last */
    AccountTrouble trouble;
    bool failed;           /* since the last retry */
    bool retry_waits;      /* its moment is set */
    unsigned tries;        /* retries in a row that found it in trouble */
};

int account_calls_new(Manager *m, AccountCalls **ret) {
    AccountCalls *c = calloc(1, sizeof(*c));
    int r = 0;

    if (!c)
        return -ENOMEM;
    c->m = m;
    if (accounts_are_outside(m))
        r = pool_new(m->event, LANE_THREADS, POOL_QUEUE_MAX, 0, &c->lane);
    if (r >= 0)
        r = turns_new(&c->turns);
    if (r < 0) {
        account_calls_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

AccountCalls *account_calls_free(AccountCalls *c) {
    if (!c)
        return NULL;
    if (c->lane)
        pool_free(c->lane);
    turns_free(c->turns);
    free(c);
    return NULL;
}

bool account_calls_are_idle(const AccountCalls *c) {
    return !c->lane || pool_is_idle(c->lane);
}

int account_calls_trouble(const Manager *m) {
    return m->calls->r;
}

bool account_calls_are_failing(const Manager *m) {
    return m->calls->r == -EAGAIN && m->calls->failed;
}

bool account_calls_are_stuck(const Manager *m) {
    return m->calls->r < 0 && m->calls->open > 0;
}

/* ---- calls ---- */

/* What was queued behind a call that found nobody would find nobody either, each in the time that it takes to give up. */
static void lane_run(void *userdata) {
    AccountCall *call = userdata;

    if (call->failures == atomic_load(&call->m->calls->failures))
        call->run(call);
    else {
        call->r = -EAGAIN;
        call->trouble = (AccountTrouble) { .kind = TROUBLE_AWAY };
    }
}

static void lane_done(void *userdata) {
    AccountCall *call = userdata;

    if (call->r == -EAGAIN)
        atomic_fetch_add(&call->m->calls->failures, 1);
    call->done(call);
}

static void lane_dropped(Manager *m, void *userdata) {
    AccountCall **held = userdata, *call = *held;

    free(held);
    call->r = -EAGAIN;
    call->done(call);
}

void account_call(AccountCall *call) {
    AccountCalls *c = call->m->calls;

    call->r = 0;
    call->trouble = (AccountTrouble) { 0 };
    call->failures = atomic_load(&c->failures);
    if (pool_submit(c->lane ? c->lane : c->m->pool, lane_run, lane_done, call) >= 0)
        return;
    AccountCall **held = malloc(sizeof(AccountCall *));
    if (held)
        *held = call;
    if (held && manager_after(c->m, 0, lane_dropped, held) >= 0)
        return;
    free(held);
    log_error("No memory for a call of the account back end; the next start goes on with what it was for");
}

/* ---- trouble ---- */

static void arm_retry(AccountCalls *c);

static void retry_kick(Manager *m) {
    access_kick(m);
    lifecycle_finish_waiting(m);
    account_rows_retry(m);
}

/* A request that waits for its account, or an account whose back end waits for news, or a table that was never compared. */
static bool something_waits(Manager *m) {
    uint64_t tasks = 0;
    int64_t since;

    return store_count_access_tasks(m->store, &tasks, &since) < 0 || tasks > 0 || lifecycle_something_waits(m) || account_rows_wait(m);
}

static void retry_probed(int r, void *userdata) {
    AccountCalls *c = userdata;

    if (r < 0)
        arm_retry(c);
    else
        retry_kick(c->m);
    manager_release(c->m);
}

static void trouble_forget(AccountCalls *c) {
    c->r = 0;
    c->trouble = (AccountTrouble) { 0 };
    c->tries = 0;
}

static void trouble_is_over(AccountCalls *c) {
    LogContext about = { .message_id = MESSAGE_ID_ACCOUNTS_TROUBLE };

    log_line(LOG_NOTICE, &about, "The account back end %s does as it is told again", c->m->accounts->v->name);
    trouble_forget(c);
}

/* At growing distances: whoever looks at the journal of a long night finds it, and not only it. */
static void tell_what_waits(AccountCalls *c) {
    LogContext about = { .message_id = MESSAGE_ID_ACCOUNTS_TROUBLE };
    char since[RFC3339_SIZE] = "";
    uint64_t tasks = 0;
    int64_t oldest = 0;
    unsigned copies = transfers_waiting(c->m->transfers);

    if ((c->tries & (c->tries - 1)) != 0 || c->tries < TRIES_QUIET || store_count_access_tasks(c->m->store, &tasks, &oldest) < 0)
        return;
    if (tasks > 0)
        rfc3339_format(oldest, since);
    log_line(LOG_ERR, &about, "The account back end %s still %s: %llu change%s of access%s%s and %u cop%s wait for it", c->m->accounts->v->name,
             c->r == -EAGAIN ? "is away" : "refuses", (unsigned long long) tasks, tasks == 1 ? "" : "s", tasks > 0 ? ", the oldest of " : "", since, copies,
             copies == 1 ? "y" : "ies");
}

static void retry(Manager *m, void *userdata) {
    AccountCalls *c = m->calls;

    tell_what_waits(c);
    c->retry_waits = false;
    c->failed = false;
    if (m->stopping) /* the next start tries */
        return;
    if (!something_waits(m))
        trouble_forget(c); /* nobody is left who could tell; whoever comes next finds out */
    else if (c->r != -EAGAIN)
        retry_kick(m);
    else { /* one asks for all */
        manager_hold(m);
        account_probe(m, retry_probed, c);
    }
}

static void arm_retry(AccountCalls *c) {
    uint64_t pause = RETRY_MS_FIRST;

    if (c->retry_waits)
        return;
    for (unsigned i = 0; i < c->tries && pause < RETRY_MS_MAX; i++)
        pause *= 2;
    c->tries++;
    c->retry_waits = manager_after(c->m, pause < RETRY_MS_MAX ? pause : RETRY_MS_MAX, retry, NULL) >= 0;
}

static void trouble_came(AccountCalls *c, int r, const AccountTrouble *trouble) {
    LogContext about = { .message_id = MESSAGE_ID_ACCOUNTS_TROUBLE };
    const char *text = trouble && trouble->text[0] ? trouble->text : strerror(-r);
    bool known = c->r == r && (!trouble || !trouble->text[0] || streq(c->trouble.text, trouble->text));

    c->failed = true;
    c->r = r;
    if (trouble && trouble->text[0])
        c->trouble = *trouble;
    if (!known)
        log_line(LOG_ERR, &about, "The account back end %s %s: %s. What waits for it is tried again until it is done", c->m->accounts->v->name,
                 r == -EAGAIN ? "is away" : "refuses", text);
    arm_retry(c);
}

/* ---- work ---- */

typedef struct Work {
    Manager *m;
    TurnGranted granted;
    void *userdata;
} Work;

static void work_granted(void *userdata) {
    Work work = *(Work *) userdata;

    free(userdata);
    work.m->calls->open++;
    work.granted(work.userdata);
}

int account_work_begin(Manager *m, const char *email, TurnGranted granted, void *userdata) {
    Work *work = malloc(sizeof(*work));
    int r;

    if (!work)
        return -ENOMEM;
    *work = (Work) { .m = m, .granted = granted, .userdata = userdata };
    manager_hold(m);
    r = turns_take(m->calls->turns, email, work_granted, work);
    if (r < 0) {
        manager_release(m);
        free(work);
    }
    return r;
}

void account_work_end(Manager *m, const char *email, int r, const AccountTrouble *trouble) {
    AccountCalls *c = m->calls;

    c->open--;
    if (r < 0)
        trouble_came(c, r, trouble);
    else if (c->r < 0 && c->open == 0 && !c->failed)
        trouble_is_over(c);
    turns_give_back(c->turns, email);
    manager_release(m);
}

/* ---- probe ---- */

/* Owned by the call; its timer has another for as long as it waits. */
typedef struct Probe {
    AccountCall call;
    AccountProbed probed; /* NULL: has been told */
    void *userdata;
    struct ProbeTimer *timer;
} Probe;

typedef struct ProbeTimer {
    Probe *probe; /* NULL: it has answered */
} ProbeTimer;

static void probe_tell(Probe *p, int r) {
    AccountProbed probed = p->probed;

    p->probed = NULL;
    if (probed)
        probed(r, p->userdata);
}

static void probe_run(AccountCall *call) {
    call->r = call->m->accounts->v->probe(call->m->accounts, &call->trouble);
}

static void probe_done(AccountCall *call) {
    Probe *p = (Probe *) call;
    Manager *m = call->m;

    if (p->timer)
        p->timer->probe = NULL;
    probe_tell(p, call->r);
    manager_release(m);
    free(p);
}

static void probe_is_late(Manager *m, void *userdata) {
    ProbeTimer *timer = userdata;

    if (timer->probe) {
        timer->probe->timer = NULL;
        probe_tell(timer->probe, -EAGAIN);
    }
    free(timer);
}

void account_probe(Manager *m, AccountProbed probed, void *userdata) {
    if (!accounts_are_outside(m)) {
        probed(0, userdata);
        return;
    }
    Probe *p = calloc(1, sizeof(*p));
    ProbeTimer *timer = p ? calloc(1, sizeof(*timer)) : NULL;
    if (!timer) {
        free(p);
        probed(-ENOMEM, userdata);
        return;
    }
    *p = (Probe) { .call = { .m = m, .run = probe_run, .done = probe_done }, .probed = probed, .userdata = userdata, .timer = timer };
    timer->probe = p;
    if (manager_after(m, ACCOUNT_PROBE_MS, probe_is_late, timer) < 0) {
        free(timer);
        free(p);
        probed(-ENOMEM, userdata);
        return;
    }
    manager_hold(m);
    account_call(&p->call);
}
