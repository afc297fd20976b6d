/* Compares database, units, timers and folders, and repairs: a request in flight without a unit starts again, a unit without a request is stopped, a missing
 * timer is armed, an FTP session of what is closed is ended, a folder goes where its request's state wants it, and what no live request owns is removed
 * when it is ours and reported in any case. */
#include "api/reconcile.h"

#include "api/access.h"
#include "api/account_calls.h"
#include "api/account_rows.h"
#include "api/expiry_timers.h"
#include "api/export_queue.h"
#include "api/folders.h"
#include "api/lifecycle.h"
#include "api/scheduler.h"
#include "api/sessions.h"
#include "api/settle.h"
#include "api/simulator.h"
#include "api/transfers.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/messages.h"
#include "model/paths.h"
#include "units/units.h"

#include <errno.h>
#include <stdio.h>

#define SWEEP_PAUSE_MS 60000 /* timers prompt often; once a minute is enough to look around */
#define FOUND_MAX 1000000  /* folders looked at in one walk */
#define WALK_SLICE 50 /* of them at a time: calls are answered in between */
#define WALK_PAUSE_MS 1
#define REST_NOTE "rested" /* the boot in which the service left idle, all folders and accounts in order, and where these are */
#define REST_TEXT_SIZE 64

typedef struct Found {
    char kind;
    char name[REL_PATH_SIZE];
} Found;

/* A growing list of ids or folders. */
typedef struct Reconcile {
    Manager *m;
    UnitIds units;
    Found *found;
    size_t n_found;
    int r;
} Reconcile;

static Reconcile *reconcile_new(Manager *m) {
    Reconcile *rec = calloc(1, sizeof(*rec));

    if (rec) {
        rec->m = m;
        manager_hold(m);
    }
    return rec;
}

static void reconcile_free(Reconcile *rec) {
    manager_release(rec->m);
    free(rec->units.ids);
    free(rec->found);
    free(rec);
}

static void add_id(void *userdata, const char *id, const char *active) {
    Reconcile *rec = userdata;

    unit_ids_add(&rec->units, id, active);
}

/* ---- units of transfers ---- */

static int revive(const Request *r, void *userdata) {
    Reconcile *rec = userdata;
    Manager *m = rec->m;

    if (unit_ids_have(&rec->units, r->id)) { /* it runs, its end will be reported */
        lifecycle_watch_unit(m, r->life);
        return 0;
    }
    Transfer *x = transfers_find(m->transfers, r->life);
    if (x && (x->starting || x->run != r->run))
        return 0; /* this process is starting it right now */
    LogContext about = { .request = r->id, .message_id = MESSAGE_ID_TRANSFER_RETRY };
    if (r->copied)
        lifecycle_finish(m, r->life);
    else {
        log_line(LOG_NOTICE, &about, "%s without a unit: starting it again", state_name(r->state));
        scheduler_restart(m, r->life, 0);
    }
    return 0;
}

static void on_stopped(void *userdata, int r, const char *error_name, const char *message) {
    if (r < 0)
        log_warning("Cannot stop a unit without a request: %s", message ? message : strerror(-r));
}

static void on_transfers_listed(void *userdata, int r, const char *error_name, const char *message) {
    Reconcile *rec = userdata;
    Manager *m = rec->m;

    if (r < 0)
        log_warning("Cannot list the transfer units: %s", message ? message : strerror(-r));
    for (size_t i = 0; r >= 0 && i < rec->units.n; i++) {
        _cleanup_request_ Request row = { 0 };
        int k = store_get(m->store, rec->units.ids[i], &row);
        if (k == -ENOENT || (k >= 0 && !state_is_in_flight(row.state))) {
            log_notice("tempoftp-transfer-%s.service belongs to no request in flight: stopping it", rec->units.ids[i]);
            (void) !broker_stop_unit(m->bus, UNIT_TRANSFER, rec->units.ids[i], on_stopped, NULL, NULL);
        }
    }
    if (r >= 0) {
        (void) !store_list(m->store, STATE_PREPARANDO, 0, SIZE_MAX >> 1, revive, rec);
        (void) !store_list(m->store, STATE_TRASLADO, 0, SIZE_MAX >> 1, revive, rec);
    }
    reconcile_free(rec);
}

/* ---- folders ---- */

static int collect_folder(char kind, const char *name, void *userdata) {
    Reconcile *rec = userdata;

    if (rec->n_found == FOUND_MAX)
        return 1;
    if (rec->n_found % 64 == 0) {
        void *grown = reallocarray(rec->found, rec->n_found + 64, sizeof(*rec->found));
        if (!grown)
            return -ENOMEM;
        rec->found = grown;
    }
    Found *f = &rec->found[rec->n_found++];
    f->kind = kind;
    snprintf(f->name, sizeof(f->name), "%s", name);
    return 0;
}

static void walk_run(void *userdata) {
    Reconcile *rec = userdata;
    rec->r = folders_walk(rec->m->data_fd, collect_folder, rec);
}

static void orphan(Manager *m, const Found *f, const char *id, uint64_t life) {
    static const char *const prefix[] = { ['s'] = ".staging/", ['b'] = ".blocked/", ['p'] = ".purge/", ['h'] = "" };
    LogContext about = { .request = id, .message_id = MESSAGE_ID_ORPHAN };
    char relative[REL_PATH_SIZE + 16];

    snprintf(relative, sizeof(relative), "%s%s", prefix[(unsigned char) f->kind], f->name);
    if (f->kind != 'p') {
        log_line(LOG_WARNING, &about, "%s/%s belongs to no live request: removing it", m->settings->data_path, relative);
        int r = folders_orphan(m->data_fd, relative, id, life);
        if (r < 0) {
            if (r != -ENOENT)
                log_errno(r, "Cannot move %s away", relative);
            return;
        }
    }
    tasks_purge_orphan(m, TASK_PURGE, id, life);
}

/* ".staging/<id>.<life>" and its siblings. */
static void check_life_folder(Manager *m, const Found *f) {
    _cleanup_request_ Request r = { 0 };
    char id[ID_MAX + 1];
    uint64_t life;

    if (f->kind == 'p' && path_parse_drop(f->name, id, &life) >= 0) {
        tasks_purge_orphan(m, TASK_DROP, id, life);
        return;
    }
    if (path_parse_life(f->name, id, &life) < 0) {
        log_warning("%s/…/%s is nobody's folder: look at it and remove it by hand", m->settings->data_path, f->name);
        return;
    }
    int k = store_get_life(m->store, life, &r);
    if (k == -ENOENT || (k >= 0 && !streq(r.id, id)))
        orphan(m, f, id, life);
    else if (k >= 0 && f->kind == 'p')
        tasks_purge_orphan(m, TASK_PURGE, id, life); /* idempotent: a durable task may be at it */
    else if (k >= 0 && !state_is_under_way(r.state))
        (void) !folders_settle(m->data_fd, &r);
}

typedef struct DropTask {
    Manager *m;
    const char *account;
} DropTask;

/* 1: the task will take that account's drop folder. */
static int takes_drop(const Task *task, void *userdata) {
    const DropTask *wanted = userdata;
    _cleanup_request_ Request r = { 0 };

    return task->kind == TASK_DROP && store_get_life(wanted->m->store, task->life, &r) >= 0 && streq(r.account, wanted->account);
}

/* "<account>/_buzon". Its task takes a drop that was closed; this is for what no task knows of. */
static void check_drop(Manager *m, const char *name) {
    DropTask wanted = { m, name };
    LogContext about = { .request = name, .account = name, .message_id = MESSAGE_ID_ORPHAN };
    uint64_t bytes, life = (uint64_t) utc_now();

    if (store_drop(m->store, name, &bytes) < 0)
        return;
    if (bytes > 0) {
        if (accounts_are_outside(m))
            log_line(LOG_WARNING, &about,
                     "%s/%s/" DROP_FOLDER " was opened for tempoftp's own FTP server, and Pure-FTPd does not keep its limit: take it away with tempoftp buzon ID --quitar",
                     m->settings->data_path, name);
        return;
    }
    if (store_list_tasks(m->store, INT64_MAX, takes_drop, &wanted) != 0)
        return;
    log_line(LOG_WARNING, &about, "%s/%s/" DROP_FOLDER " is no drop folder of ours: removing it", m->settings->data_path, name);
    int r = folders_drop_take(m->data_fd, name, name, life); /* an account's name is a valid id */
    if (r < 0)
        log_errno(r, "Cannot move the drop folder of %s away", name);
    else
        tasks_purge_orphan(m, TASK_DROP, name, life);
}

/* "<account>/<id>" */
static void check_home_folder(Manager *m, const Found *f) {
    _cleanup_request_ Request r = { 0 };
    _cleanup_account_ Account account = { 0 };
    char name[REL_PATH_SIZE];

    snprintf(name, sizeof(name), "%s", f->name);
    char *id = strchr(name, '/');
    *id++ = '\0';
    if (streq(id, DROP_FOLDER) && store_account_by_name(m->store, name, &account) >= 0) {
        check_drop(m, name);
        return;
    }
    int k = store_get(m->store, id, &r);
    if (k >= 0 && streq(r.account, name)) {
        if (!state_is_under_way(r.state))
            (void) !folders_settle(m->data_fd, &r);
        return;
    }
    if (k >= 0 && state_is_in_flight(r.state))
        return; /* between rename and commit, or a crash there: its next start takes the folder back */
    if ((k == -ENOENT || k >= 0) && store_account_by_name(m->store, name, &account) >= 0 && id_is_valid(id))
        orphan(m, f, id, (uint64_t) utc_now());
    else if (k == -ENOENT)
        log_warning("%s/%s belongs to no account of ours: look at it and remove it by hand", m->settings->data_path, f->name);
}

/* What a walk has found, one block: a timer that never fires frees it. */
typedef struct Walk {
    size_t at, n;
    Found found[];
} Walk;

static void walk_slice(Manager *m, void *userdata) {
    Walk *w = userdata;

    for (size_t i = 0; i < WALK_SLICE && w->at < w->n; i++, w->at++)
        if (w->found[w->at].kind == 'h')
            check_home_folder(m, &w->found[w->at]);
        else
            check_life_folder(m, &w->found[w->at]);
    if (w->at < w->n && manager_after(m, WALK_PAUSE_MS, walk_slice, w) >= 0)
        return;
    m->folders_checked = w->at == w->n;
    free(w);
    tasks_kick(m);
}

static void walk_done(void *userdata) {
    Reconcile *rec = userdata;
    Walk *w = rec->r < 0 ? NULL : malloc(sizeof(*w) + rec->n_found * sizeof(*w->found));

    if (w) {
        w->at = 0;
        w->n = rec->n_found;
        if (w->n > 0)
            memcpy(w->found, rec->found, w->n * sizeof(*w->found));
        walk_slice(rec->m, w);
    } else
        log_errno(rec->r < 0 ? rec->r : -ENOMEM, "Cannot look through the data path");
    reconcile_free(rec);
}

/* ---- all of it ---- */

static int remember(const Request *r, void *userdata) {
    Manager *m = userdata;

    if (!transfers_find(m->transfers, r->life) && !transfers_add(m->transfers, r))
        return -ENOMEM;
    lifecycle_take_back(m, r);
    if (manager_is_simulator(m))
        simulator_start(m, r);
    return 0;
}

static void reconcile_world(Manager *m) {
    m->reconciled_ms = monotonic_ms();
    Reconcile *rec = reconcile_new(m);
    if (rec && unit_list(m->bus, UNIT_TRANSFER, add_id, on_transfers_listed, rec, NULL) < 0)
        on_transfers_listed(rec, -EAGAIN, NULL, NULL);
    expiry_timers_compare(m);
    sessions_compare(m);
    if (m->folders_checked)
        return;
    m->walked_ms = m->reconciled_ms;
    account_rows_compare(m);
    rec = reconcile_new(m);
    if (rec && pool_submit(m->pool, walk_run, walk_done, rec) < 0)
        reconcile_free(rec);
}

/* ---- rest ---- */

static void rest_text(const Manager *m, char ret[static REST_TEXT_SIZE]) {
    snprintf(ret, REST_TEXT_SIZE, "%s %s", m->clock.boot_id, m->accounts->v->name);
}

int reconcile_rest(StoreTx *tx, const Manager *m) {
    char text[REST_TEXT_SIZE];

    rest_text(m, text);
    return tx_note_put(tx, REST_NOTE, m->folders_checked && !account_rows_wait(m) ? text : "");
}

static int rise_job(StoreTx *tx, void *userdata) {
    return tx_note_put(tx, REST_NOTE, "");
}

/* Goes into the queue before any change does: who is killed after a change finds no note at the next start. */
static void rise(Manager *m) {
    _cleanup_free_ char *note = NULL;
    char text[REST_TEXT_SIZE];

    (void) manager_now(m); /* learns the boot's id */
    rest_text(m, text);
    m->folders_checked = store_note(m->store, REST_NOTE, &note) >= 0 && streq(note, text) && store_write(m->store, rise_job, NULL, NULL) >= 0;
}

void reconcile_start(Manager *m) {
    int r = store_list(m->store, STATE_PREPARANDO, 0, SIZE_MAX >> 1, remember, m);

    if (r >= 0)
        r = store_list(m->store, STATE_TRASLADO, 0, SIZE_MAX >> 1, remember, m);
    if (r < 0)
        log_errno(r, "Cannot read the requests in flight");
    if (m->bus) {
        rise(m);
        reconcile_world(m);
    }
    lifecycle_expire_due(m, NULL, NULL);
    tasks_kick(m);
    access_kick(m);
    exports_compare(m);
    scheduler_kick(m);
}

void reconcile_sweep(Manager *m) {
    uint64_t now = monotonic_ms();

    if (!m->bus || (now - m->reconciled_ms < SWEEP_PAUSE_MS && m->walked_ms > 0))
        return;
    m->folders_checked = false;
    exports_compare(m);
    reconcile_world(m);
}
