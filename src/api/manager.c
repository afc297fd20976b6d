/* Set-up, loop and end of tempoftpd: rooms are made in order, the loop runs until the service is idle or told to stop. */
#include "api/manager.h"

#include "api/access.h"
#include "api/account_calls.h"
#include "api/account_rows.h"
#include "api/answers.h"
#include "api/bus.h"
#include "api/certificate.h"
#include "api/docs.h"
#include "api/doors.h"
#include "api/export_queue.h"
#include "api/folders.h"
#include "api/gate.h"
#include "api/hashes.h"
#include "api/keys.h"
#include "api/metrics.h"
#include "api/rates.h"
#include "api/reconcile.h"
#include "api/route.h"
#include "api/run.h"
#include "api/server.h"
#include "api/session_ends.h"
#include "api/setting_trail.h"
#include "api/transfers.h"
#include "api/watchers.h"
#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/messages.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#define POOL_THREADS 2
#define HASHER_NICENESS 5 /* the loop goes first; a third of a share (sched(7)) is left to logins however many others want the CPU */
#define HASHER_QUEUE_MAX 64 /* some 6 s of Argon2id: who comes behind that is told to come again */
#define LOOP_WAIT_MS 10000
#define STOP_GRACE_MS 20000 /* a DELETE waits for a unit that has 10 s to end */
#define CLOCK_NOTE "clock"

/* ---- clock and timers ---- */

int64_t manager_now(Manager *m) {
    int64_t utc = utc_now();
    ClockReading reading;

    if (utc == m->clock.anchor_utc) /* nothing new within the same second */
        return m->clock.utc;
    clock_read(&reading);
    bool jumped = m->clock.jumped;
    int64_t now = clock_observe(&m->clock, &reading);
    if (m->clock.jumped && !jumped) {
        LogContext about = { .message_id = MESSAGE_ID_CLOCK_JUMP };
        log_line(LOG_WARNING, &about, "The clock jumped forward: access follows it, but no data is removed until time is synchronised");
    }
    return now;
}

Actor manager_actor(Manager *m) {
    return (Actor) { .name = "tempoftpd", .now = manager_now(m) };
}

typedef struct Timer {
    Manager *m;
    ManagerTimer fire;
    void *userdata;
    sd_event_source *source;
    struct Timer *next;
} Timer;

static void timer_free(Timer *t) {
    for (Timer **at = &t->m->timers; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            break;
        }
    t->m->n_timers--;
    manager_release(t->m);
    sd_event_source_disable_unref(t->source);
    free(t);
}

static int timer_fired(sd_event_source *source, uint64_t usec, void *p) {
    Timer t = *(Timer *) p;

    timer_free(p);
    t.fire(t.m, t.userdata);
    return 0;
}

int manager_after(Manager *m, uint64_t delay_ms, ManagerTimer fire, void *userdata) {
    Timer *t = malloc(sizeof(*t));

    if (!t)
        return -ENOMEM;
    *t = (Timer) { .m = m, .fire = fire, .userdata = userdata };
    int r = sd_event_add_time_relative(m->event, &t->source, CLOCK_MONOTONIC, delay_ms * 1000, 1000, timer_fired, t);
    if (r < 0) {
        free(t);
        return r;
    }
    t->next = m->timers;
    m->timers = t;
    m->n_timers++;
    manager_hold(m);
    return 0;
}

void manager_drop_timers(Manager *m) {
    while (m->timers) {
        free(m->timers->userdata);
        timer_free(m->timers);
    }
}

/* ---- set-up ---- */

static int open_store(Manager *m, const char *state_directory) {
    char path[4096];

    if (mkdir(state_directory, 0700) < 0 && errno != EEXIST)
        return log_errno(-errno, "Cannot make the state folder %s", state_directory);
    if (snprintf(path, sizeof(path), "%s/state.db", state_directory) >= (int) sizeof(path))
        return log_errno(-ENAMETOOLONG, "The state folder's path is too long");
    int r = store_open(path, &m->store);
    if (r == -ENOTSUP)
        return log_errno(r, "%s was made by a newer tempoftp: install that version, or restore an older copy", path);
    if (r == -EBADMSG)
        return log_errno(r, "%s is damaged, or no state database: put a backup in its place (tempoftpd(8), FILES)", path);
    if (r < 0)
        return log_errno(r, "Cannot open %s", path);
    _cleanup_free_ char *clock = NULL;
    if (store_note(m->store, CLOCK_NOTE, &clock) >= 0)
        (void) !clock_parse(clock, &m->clock);
    return 0;
}

static void on_store_change(uint64_t life, void *userdata) {
    Manager *m = userdata;

    answers_forget(m->answers, life);
}

static int on_store_ready(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    Manager *m = userdata;

    store_dispatch(m->store);
    return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
    Manager *m = userdata;

    m->stopping = true;
    return 0;
}

static int open_data(Manager *m) {
    const char *hint;

    if (manager_is_simulator(m))
        return 0;
    int r = folders_open(m->settings->data_path, m->settings->ftp_gid, &m->data_fd, &hint);
    if (r < 0)
        log_error("TEMPOFTP_DATA_PATH=%s cannot be used (%s): %s", m->settings->data_path, strerror(-r), hint);
    else if (faccessat(m->data_fd, ".", W_OK, 0) < 0) /* not the end: what is handed out can be taken away */
        log_error("TEMPOFTP_DATA_PATH=%s may not be written (%s), so no request of a new account becomes ready: user tempoftp has to own it",
                  m->settings->data_path, strerror(errno));
    return r;
}

static int open_accounts(Manager *m) {
    _cleanup_free_ char *error = NULL;
    int r;

    if (manager_is_simulator(m))
        r = account_backend_simulated_new(&m->accounts);
    else if (m->settings->db_host)
        r = account_backend_mariadb_new(m->settings, log_warning_text, NULL, &m->accounts, &error);
    else
        r = account_backend_embedded_new(&m->accounts);
    if (r < 0)
        log_error("Cannot set up the accounts: %s", error ? error : strerror(-r));
    return r;
}

static int set_up(Manager *m, const RunOptions *options, ListenFds *passed) {
    sigset_t signals;
    int r;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_fd_limit();
    r = sd_event_new(&m->event);
    if (r >= 0)
        r = sd_event_add_signal(m->event, NULL, SIGTERM, on_signal, m);
    if (r >= 0)
        r = sd_event_add_signal(m->event, NULL, SIGINT, on_signal, m);
    if (r < 0)
        return log_errno(r, "Cannot set up the event loop");
    r = open_store(m, options->state_directory);
    if (r >= 0)
        r = keys_open(m);
    if (r >= 0)
        r = gate_new(m->settings, &m->gate);
    int written = r >= 0 ? setting_trail_write(m) : 0;
    if (written < 0)
        log_errno(written, "Cannot write changed settings into the audit trail, the next start tries again");
    if (r >= 0)
        r = open_data(m);
    if (r >= 0)
        r = open_accounts(m);
    if (r >= 0)
        r = hashes_renew(m);
    if (r < 0)
        return r;
    r = sd_event_add_io(m->event, NULL, store_fd(m->store), 1 /* EPOLLIN */, on_store_ready, m);
    if (r >= 0)
        r = pool_new(m->event, POOL_THREADS, POOL_QUEUE_MAX, 0, &m->pool);
    if (r >= 0)
        r = pool_new(m->event, 1, HASHER_QUEUE_MAX, HASHER_NICENESS, &m->hasher);
    if (r >= 0)
        r = transfers_new(&m->transfers);
    if (r >= 0)
        r = exports_new(&m->exports);
    if (r >= 0)
        r = watchers_new(&m->watchers);
    if (r >= 0)
        r = answers_new(&m->answers);
    if (r >= 0)
        store_on_change(m->store, on_store_change, m);
    if (r >= 0)
        r = metrics_new(m->store, &m->metrics);
    if (r >= 0)
        r = rates_new(&m->rates);
    if (r >= 0)
        r = rates_load(m->rates, m->store, route_limit_by_name, m->settings);
    if (r >= 0)
        r = account_calls_new(m, &m->calls);
    if (r >= 0)
        r = accesses_new(&m->accesses);
    if (r >= 0)
        r = account_rows_new(&m->rows);
    if (r >= 0)
        r = server_new(m, &m->server);
    if (r < 0)
        return log_errno(r, "Cannot set up the service");
    if (!manager_is_simulator(m))
        r = bus_open(m);
    if (r >= 0)
        r = doors_open(m, passed, options->listen);
    if (r < 0)
        return r;
    if (m->bus) {
        reconcile_start(m);
        r = sd_bus_request_name(m->bus, BUS_NAME, 0); /* from here on reports come in: the table of transfers stands */
        if (r < 0)
            return log_errno(r, "Cannot take the name %s on the system bus", BUS_NAME);
    } else
        reconcile_start(m);
    return 0;
}

/* ---- running and ending ---- */

static bool is_idle(const Manager *m) {
    return m->pending == 0 && server_is_idle(m->server) && store_is_idle(m->store) && pool_is_idle(m->pool) && pool_is_idle(m->hasher) &&
           account_calls_are_idle(m->calls);
}

/* Is there anything but scrapes? Who scrapes every few seconds must not keep the service from its idle exit for ever. */
static bool is_active(const Manager *m) {
    return m->scrapes == 0 && (m->pending > 0 || server_is_busy(m->server) || !store_is_idle(m->store) || !pool_is_idle(m->pool) || !pool_is_idle(m->hasher) ||
                               !account_calls_are_idle(m->calls));
}

/* What a timer would do is durable and done after the next start. */
static bool may_stop(const Manager *m) {
    return m->pending == m->n_timers && server_is_drained(m->server) && store_is_idle(m->store) && pool_is_idle(m->pool) &&
           pool_is_idle(m->hasher) && account_calls_are_idle(m->calls);
}

static void say_https(Manager *m, char *ret, size_t size) {
    uint64_t failed = server_failed_handshakes(m->server);
    char certificate[CERTIFICATE_STATUS_SIZE];
    int n;

    certificate_status(m->certificate, utc_now(), certificate);
    n = snprintf(ret, size, "; %s", certificate);
    if (failed > 0)
        snprintf(ret + n, size - (size_t) n, "; %llu TLS handshakes came to nothing", (unsigned long long) failed);
}

static void show_status(Manager *m) {
    unsigned waiting = transfers_waiting(m->transfers);
    int trouble = account_calls_trouble(m);
    char waits[64] = "", https[CERTIFICATE_STATUS_SIZE + 64] = "";
    uint64_t ready = 0;

    if (store_count(m->store, STATE_LISTO, &ready) < 0)
        return;
    if (waiting > 0)
        snprintf(waits, sizeof(waits), ", %u whole and waiting for their accounts", waiting);
    if (m->certificate)
        say_https(m, https, sizeof(https));
    sd_notifyf(false, "STATUS=%u copies under way%s, %llu requests ready%s%s", transfers_count(m->transfers) - waiting, waits, (unsigned long long) ready,
               trouble == 0 ? "" : trouble == -EAGAIN ? "; the account back end is away" : "; the account back end refuses", https);
}

/* Every call that reached us has been read by now; what it set going is still finished. */
static void released(Manager *m) {
    m->released = true;
    server_close(m->server);
}

static int leave_idle(Manager *m) {
    sd_notify(false, "STOPPING=1\nSTATUS=Idle, leaving the sockets to systemd");
    log_debug("Idle for %d s, leaving the sockets to systemd", m->settings->idle_seconds);
    if (!m->bus) {
        released(m);
        return 0;
    }
    return bus_release(m, released);
}

static int run_loop(Manager *m, bool may_leave) {
    uint64_t idle_ms = (uint64_t) m->settings->idle_seconds * 1000, stop_at = 0, status_at = 0;
    bool leaving = false;

    m->active_ms = monotonic_ms();
    for (;;) {
        int r = server_run(m->server, stop_at || leaving ? 50 : idle_ms > 0 && idle_ms < LOOP_WAIT_MS ? 200 : 1000);
        if (r < 0)
            return log_errno(r, "The event loop failed");
        uint64_t now = monotonic_ms();
        if (is_active(m))
            m->active_ms = now;
        if (now >= status_at) {
            show_status(m);
            answers_age(m->answers);
            status_at = now + 5000;
        }
        if (m->stopping && !stop_at) {
            sd_notify(false, "STOPPING=1");
            watchers_end(m, 0);
            server_close(m->server);
            stop_at = now + STOP_GRACE_MS;
        }
        if (m->released && !stop_at)
            stop_at = now + STOP_GRACE_MS;
        if (stop_at && (now >= stop_at || (m->released ? is_idle(m) : may_stop(m))))
            break;
        if (!leaving && !stop_at && may_leave && idle_ms > 0 && now >= m->active_ms + idle_ms && is_idle(m)) {
            leaving = true;
            r = leave_idle(m);
            if (r < 0)
                return log_errno(r, "Cannot give the bus name back");
        }
    }
    return 0;
}

static int farewell_job(StoreTx *tx, void *userdata) {
    Manager *m = userdata;
    char text[CLOCK_TEXT_SIZE];

    clock_format(&m->clock, text);
    int r = tx_note_put(tx, CLOCK_NOTE, text);
    if (r >= 0 && m->metrics)
        r = metrics_save(m->metrics, tx);
    return r >= 0 && m->released ? reconcile_rest(tx, m) : r;
}

static void tear_down(Manager *m) {
    manager_drop_timers(m);
    if (m->store && m->rates)
        (void) !rates_save(m->rates, m->store);
    if (m->store)
        (void) !store_write_wait(m->store, farewell_job, m);
    m->server = server_free(m->server);
    m->certificate = certificate_free(m->certificate);
    m->calls = account_calls_free(m->calls);
    m->pool = pool_free(m->pool);
    m->hasher = pool_free(m->hasher);
    sd_bus_flush_close_unref(m->bus);
    m->store = store_free(m->store);
    m->accounts = account_backend_free(m->accounts);
    m->session_ends = session_ends_free(m->session_ends);
    m->accesses = accesses_free(m->accesses);
    m->rows = account_rows_free(m->rows);
    m->transfers = transfers_free(m->transfers);
    m->exports = exports_free(m->exports);
    m->watchers = watchers_free(m->watchers);
    m->answers = answers_free(m->answers);
    m->rates = rates_free(m->rates);
    m->gate = gate_free(m->gate);
    m->metrics = metrics_free(m->metrics);
    m->docs = docs_free(m->docs);
    m->keys = fernet_keys_free(m->keys);
    sd_event_unref(m->event);
    if (m->data_fd >= 0)
        close(m->data_fd);
}

int manager_run(Settings *settings, const RunOptions *options, ListenFds *passed, bool *ret_started) {
    Manager m = { .settings = settings, .data_fd = -EBADF, .started_utc = utc_now() };

    int r = set_up(&m, options, passed);
    *ret_started = r >= 0;
    if (r >= 0) {
        sd_notify(false, "READY=1");
        r = run_loop(&m, !options->listen[0]);
    }
    tear_down(&m);
    return r;
}
