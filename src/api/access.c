/* Runs access tasks: what the database wants of an account, one call of the back end, then the task's row goes. A task that fails stays and is loud; the
 * retry of account_calls.c comes back to it.
 *
 * Revocations can't wait for anything but the back end itself: an account is closed for its owner's requests by their folders and sessions already. */
#include "api/access.h"

#include "api/account_calls.h"
#include "api/sessions.h"
#include "basic/strings.h"
#include "model/messages.h"

#include <errno.h>
#include <stdio.h>

#define RUNS_AT_ONCE 32 /* by kicks */
#define LOOK_AGAIN_MS 5000

typedef struct Waiter {
    AccessTold told;
    void *userdata;
    struct Waiter *next;
} Waiter;

typedef struct AccessRun {
    AccountCall call;
    Account account;
    AccessTask task;
    AccountWanted wanted;
    char *home;
    bool started, changed;
    bool asked; /* somebody changed something just now */
    Waiter *waiters;
    struct AccessRun *next;
} AccessRun;

struct Accesses {
    AccessRun *first;
    unsigned n;
    bool passing;                     /* a kick goes through the tasks */
    bool again;                       /* it was asked for meanwhile */
    bool stepping;
    bool look_waits;                  /* a kick has its moment */
    char after[ACCOUNT_NAME_MAX + 1]; /* where it is */
};

int accesses_new(Accesses **ret) {
    Accesses *a = calloc(1, sizeof(*a));

    if (!a)
        return -ENOMEM;
    *ret = a;
    return 0;
}

static void run_free(AccessRun *run) {
    account_done(&run->account);
    free(run->home);
    free(run);
}

Accesses *accesses_free(Accesses *a) {
    for (AccessRun *run; a && (run = a->first);) {
        a->first = run->next;
        for (Waiter *w; (w = run->waiters);) {
            run->waiters = w->next;
            free(w);
        }
        run_free(run);
    }
    free(a);
    return NULL;
}

static void pass_go_on(Manager *m);

static void look_again(Manager *m, void *userdata) {
    m->accesses->look_waits = false;
    access_kick(m);
}

/* For what has nothing to do with the back end, which has a retry of its own: a full disk, no memory. */
static void look_later(Manager *m) {
    if (!m->accesses->look_waits)
        m->accesses->look_waits = manager_after(m, LOOK_AGAIN_MS, look_again, NULL) >= 0;
}

/* ---- one account ---- */

static void run_close(AccessRun *run, int r) {
    Manager *m = run->call.m;
    Accesses *a = m->accesses;
    LogContext about = { .account = run->account.name, .message_id = MESSAGE_ID_ACCESS_WAITS };

    if (r < 0 && run->asked)
        log_line(run->wanted.used ? LOG_WARNING : LOG_ERR, &about, "%s could not be %s in the account back end, is tried again until it is: %s",
                 run->account.name, run->wanted.used ? "brought up to date" : "taken away", run->call.trouble.text[0] ? run->call.trouble.text : strerror(-r));
    for (AccessRun **at = &a->first; *at; at = &(*at)->next)
        if (*at == run) {
            *at = run->next;
            break;
        }
    a->n--;
    for (Waiter *w; (w = run->waiters);) {
        run->waiters = w->next;
        w->told(m, run->changed, w->userdata);
        free(w);
    }
    if (run->started)
        account_work_end(m, run->account.email, run->call.r, &run->call.trouble);
    run_free(run);
    pass_go_on(m);
}

/* The account is gone there: its token is no longer anybody's. Not when a request took it up meanwhile. */
static int told_job(StoreTx *tx, void *userdata) {
    AccessRun *run = userdata;
    uint64_t uses;
    int r = tx_account_uses(tx, run->account.name, &uses);

    if (r >= 0 && !run->wanted.used && uses == 0)
        r = tx_account_clear(tx, run->account.name, true);
    return r < 0 ? r : tx_access_task_done(tx, run->account.name, run->task.n);
}

static void told_written(void *userdata, int r) {
    AccessRun *run = userdata;

    if (r < 0) {
        log_errno(r, "Cannot write down that the account back end knows about %s, telling it again", run->account.name);
        look_later(run->call.m);
    } else if (!run->wanted.used) {
        LogContext about = { .account = run->account.name, .message_id = MESSAGE_ID_ACCESS_TOLD };
        log_line(LOG_INFO, &about, "The account back end has no %s any more", run->account.name);
    }
    run_close(run, 0);
}

static void on_told(AccountCall *call) {
    AccessRun *run = (AccessRun *) call;

    if (call->r < 0) {
        run_close(run, call->r);
        return;
    }
    if (!run->asked)
        sessions_end_closed(call->m, run->account.name); /* somebody may have come in since it was closed */
    int r = store_write(call->m->store, told_job, told_written, run);
    if (r < 0)
        told_written(run, r);
}

/* Then all of it: a row that has vanished is made again, with the same password, and one that was altered is set right. */
static void tell(AccountCall *call) {
    AccessRun *run = (AccessRun *) call;
    const Settings *settings = call->m->settings;
    AccountBackend *b = call->m->accounts;
    AccountWish wish = {
        .name = run->account.name,
        .home = run->home,
        .uid = settings->ftp_uid,
        .gid = settings->ftp_gid,
        .expires = run->wanted.expires,
        .enabled = run->wanted.enabled,
        .known_hash = run->account.hash,
        .token_held = run->account.token != NULL,
        .foreign = run->account.foreign,
    };
    bool made;

    if (!run->wanted.used) {
        call->r = b->v->remove(b, &wish, &call->trouble);
        return;
    }
    call->r = b->v->set_access(b, &wish, &run->changed, &call->trouble);
    if (call->r >= 0 && !run->account.foreign)
        call->r = b->v->ensure(b, &wish, &made, &call->trouble);
}

/* 1: nothing to do, or not now; what is to be told is in *run otherwise. */
static int run_prepare(AccessRun *run) {
    Manager *m = run->call.m;
    _cleanup_account_ Account account = { 0 };
    int r = store_access_task(m->store, run->account.name, &run->task);

    if (r < 0)
        return r == -ENOENT ? 1 : r;
    r = store_account_by_name(m->store, run->account.name, &account);
    if (r < 0)
        return r;
    account_done(&run->account); /* as it was before our turn */
    run->account = account;
    account = (Account) { 0 };
    r = store_account_wanted(m->store, run->account.name, &run->wanted);
    if (r < 0)
        return r;
    if (!run->wanted.used) {
        r = store_account_is_awaited(m->store, run->account.email);
        if (r != 0)
            return r; /* that request has its turn behind us, and tells the back end itself */
    }
    if (asprintf(&run->home, "%s/%s", m->settings->data_path, run->account.name) < 0) {
        run->home = NULL;
        return -ENOMEM;
    }
    return 0;
}

static void run_granted(void *userdata) {
    AccessRun *run = userdata;
    int r;

    run->started = true;
    r = run_prepare(run);
    if (r < 0) {
        log_errno(r, "Cannot find out what is wanted of %s, it is looked at again", run->account.name);
        look_later(run->call.m);
    }
    if (r == 0)
        account_call(&run->call);
    else
        run_close(run, 0);
}

/* ---- who asks ---- */

static AccessRun *run_find(const Accesses *a, const char *account) {
    for (AccessRun *run = a->first; run; run = run->next)
        if (!run->started && streq(run->account.name, account))
            return run;
    return NULL;
}

static AccessRun *run_new(Manager *m, const char *account) {
    Accesses *a = m->accesses;
    AccessRun *run = calloc(1, sizeof(*run));

    if (!run)
        return NULL;
    run->call = (AccountCall) { .m = m, .run = tell, .done = on_told };
    if (store_account_by_name(m->store, account, &run->account) < 0) {
        run_free(run);
        return NULL;
    }
    run->next = a->first;
    a->first = run;
    a->n++;
    return run;
}

/* Joins the run of that account that has not begun yet, or begins one; it may be over when this returns. waiter: owned; NULL: nobody. */
static void run_begin(Manager *m, const char *account, Waiter *waiter) {
    AccessRun *run = run_find(m->accesses, account);
    bool is_new = !run;

    if (is_new)
        run = run_new(m, account);
    if (!run) {
        if (waiter)
            waiter->told(m, false, waiter->userdata);
        free(waiter);
        return;
    }
    run->asked |= waiter != NULL;
    if (waiter) {
        waiter->next = run->waiters;
        run->waiters = waiter;
    }
    if (is_new && account_work_begin(m, run->account.email, run_granted, run) < 0)
        run_close(run, 0);
}

void access_tell(Manager *m, const char *account, AccessTold told, void *userdata) {
    LogContext about = { .account = account, .message_id = MESSAGE_ID_ACCESS_WAITS };
    Waiter *waiter = account_calls_are_stuck(m) ? NULL : malloc(sizeof(*waiter));

    if (!waiter) {
        log_line(LOG_WARNING, &about, "The account back end is told later about %s: it does not answer", account);
        told(m, false, userdata);
        return;
    }
    *waiter = (Waiter) { .told = told, .userdata = userdata };
    run_begin(m, account, waiter);
}

/* ---- all that is still to be told ---- */

typedef struct Batch {
    size_t n;
    char accounts[RUNS_AT_ONCE][ACCOUNT_NAME_MAX + 1];
} Batch;

static int batch_add(const AccessTask *t, void *userdata) {
    Batch *batch = userdata;

    strcpy(batch->accounts[batch->n++], t->account);
    return 0;
}

static void pass_step(Manager *m) {
    Accesses *a = m->accesses;
    Batch batch = { 0 };
    int r = account_calls_are_failing(m) ? 0 : store_list_access_tasks(m->store, a->after, RUNS_AT_ONCE - a->n, batch_add, &batch);

    if (r < 0)
        log_errno(r, "Cannot read what the account back end is still to be told");
    if (batch.n == 0) {
        a->passing = a->again;
        a->again = false;
        a->after[0] = '\0';
    }
    for (size_t i = 0; i < batch.n; i++) {
        strcpy(a->after, batch.accounts[i]);
        run_begin(m, batch.accounts[i], NULL);
    }
}

/* Runs that end at once come back here: they find the loop below at work. */
static void pass_go_on(Manager *m) {
    Accesses *a = m->accesses;

    if (a->stepping)
        return;
    a->stepping = true;
    while (a->passing && a->n < RUNS_AT_ONCE)
        pass_step(m);
    a->stepping = false;
}

void access_kick(Manager *m) {
    Accesses *a = m->accesses;

    if (a->passing)
        a->again = true;
    a->passing = true;
    pass_go_on(m);
}

bool access_is_failing(Manager *m) {
    uint64_t n;
    int64_t since;

    return account_calls_trouble(m) < 0 && (store_count_access_tasks(m->store, &n, &since) < 0 || n > 0);
}
