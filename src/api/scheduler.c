/* From `recibido` to a running unit: origin checked again, address looked up on the pool, run token made and written down, staging folder made, broker
 * asked. The simulator has its own copier (simulator.c). What a unit's end means is lifecycle.c's business. */
#include "api/scheduler.h"

#include "api/change.h"
#include "api/folders.h"
#include "api/lifecycle.h"
#include "api/simulator.h"
#include "api/transfers.h"
#include "api/watchers.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "crypto/password.h"
#include "model/messages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#define ADDRESSES_MAX 8
#define LOST_CALL_RETRY_MS 1000

/* One start under way. */
typedef struct Start {
    Manager *m;
    uint64_t life;
    Request request; /* as the job left it */
    char *addresses[ADDRESSES_MAX + 1];
    char host[256];
    int resolve_error;
    unsigned tries; /* to look up the host */
    State was;
} Start;

static void start_free(Start *s) {
    Transfer *x = transfers_find(s->m->transfers, s->life);

    if (x)
        x->starting = false;
    for (size_t i = 0; i < ADDRESSES_MAX; i++)
        free(s->addresses[i]);
    request_done(&s->request);
    manager_release(s->m);
    free(s);
}

static void start_failed(Start *s, Cause cause, const char *detail) {
    lifecycle_fail(s->m, s->life, s->request.run, cause, detail);
    start_free(s);
}

static void on_older_stopped(void *userdata, int r, const char *error_name, const char *message) {
    Start *s = userdata;

    scheduler_restart(s->m, s->life, r < 0 ? LOST_CALL_RETRY_MS : 0);
    start_free(s);
}

static void on_started(void *userdata, int r, const char *error_name, const char *message) {
    Start *s = userdata;
    LogContext about = { .request = s->request.id };

    if (r >= 0)
        start_free(s);
    else if (r == -EALREADY) { /* an older run's unit, whose reports count no more */
        r = broker_stop_unit(s->m->bus, UNIT_TRANSFER, s->request.id, on_older_stopped, s, NULL);
        if (r < 0)
            on_older_stopped(s, r, NULL, NULL);
    }
    else if (r == -ECHILD || r == -EINVAL || r == -EPERM)
        start_failed(s, CAUSE_UNIT, message ? message : strerror(-r));
    else {
        /* Broker or systemd gave no answer: look at what is, then go on from there. */
        log_line(LOG_WARNING, &about, "The transfer unit's start is uncertain (%s), looking again", message ? message : strerror(-r));
        scheduler_restart(s->m, s->life, LOST_CALL_RETRY_MS);
        start_free(s);
    }
}

static void tell(const Start *s) {
    LogContext about = { .request = s->request.id, .message_id = message_id_for_state(s->request.state) };

    if (s->was != s->request.state)
        log_line(LOG_INFO, &about, "%s → %s", state_name(s->was), state_name(s->request.state));
    watchers_publish(s->m, s->life);
}

static void on_written(void *userdata, int r) {
    Start *s = userdata;
    Manager *m = s->m;

    if (r >= 0) {
        tell(s);
        Transfer *x = transfers_add(s->m->transfers, &s->request);
        r = x ? folders_stage(s->m->data_fd, &s->request) : -ENOMEM;
        if (r == -ENOSPC) {
            start_failed(s, CAUSE_DISK_FULL, NULL);
            return;
        }
        if (r < 0) {
            start_failed(s, CAUSE_INTERNAL, "no se pudo crear la carpeta de copia");
            return;
        }
        lifecycle_watch_unit(s->m, s->life);
        r = broker_start_transfer(s->m->bus, s->request.id, s->life, s->request.run, s->request.ruta, s->addresses, s->request.token, on_started, s, NULL);
        if (r < 0)
            on_started(s, r, NULL, NULL);
        return;
    }
    if (r == -ESTALE) /* deleted meanwhile */
        transfers_remove(s->m->transfers, s->life);
    else {
        log_errno(r, "Cannot write down the start of a transfer, trying again");
        scheduler_restart(s->m, s->life, LOST_CALL_RETRY_MS);
    }
    start_free(s);
    scheduler_kick(m);
}

static int start_job(StoreTx *tx, void *userdata) {
    Start *s = userdata;
    uint8_t token[16];
    int r = tx_get_life(tx, s->life, &s->request);

    if (r < 0)
        return r;
    if (!state_is_under_way(s->request.state))
        return -ESTALE;
    Actor who = { .name = "tempoftpd", .now = utc_now() };
    random_bytes(token, sizeof(token));
    hex_encode(token, sizeof(token), s->request.token);
    wipe(token, sizeof(token));
    s->was = s->request.state;
    s->request.run++;
    s->request.copied = s->request.sized = false;
    free(s->request.message);
    s->request.message = NULL;
    if (s->request.state == STATE_PREPARANDO)
        return tx_update(tx, &s->request, "unidad iniciada de nuevo", &who, NULL);
    return tx_move(tx, &s->request, STATE_PREPARANDO, NULL, &who, NULL);
}

static void start_write(Start *s) {
    int r = store_write(s->m->store, start_job, on_written, s);
    if (r < 0)
        on_written(s, r);
}

/* ---- the source's addresses, on the pool ---- */

static void resolve_run(void *userdata) {
    Start *s = userdata;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list = NULL;
    char text[NI_MAXHOST];
    size_t n = 0;

    s->resolve_error = getaddrinfo(s->host, NULL, &hints, &list);
    for (struct addrinfo *a = list; a && n < ADDRESSES_MAX; a = a->ai_next)
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0) {
            text[strcspn(text, "%")] = '\0'; /* no scope: a link-local source would not be reachable by its name anyway */
            s->addresses[n] = strdup(text);
            if (s->addresses[n])
                n++;
        }
    if (list)
        freeaddrinfo(list);
    if (s->resolve_error == 0 && n == 0)
        s->resolve_error = EAI_NONAME;
}

static void resolve(Start *s);

static void resolve_again(Manager *m, void *userdata) {
    Start *s = userdata;

    manager_hold(m);
    if (transfers_find(m->transfers, s->life))
        resolve(s);
    else
        start_free(s); /* deleted meanwhile */
}

/* The resolver is away, which says nothing about the name: asked as patiently as a source is that doesn't answer. The request keeps its place. */
static bool resolve_later(Start *s) {
    LogContext about = { .request = s->request.id };
    unsigned pause = run_pause(s->tries + 1);

    if (s->tries + 1 >= RUNS_MAX || manager_after(s->m, pause * 1000, resolve_again, s) < 0)
        return false;
    s->tries++;
    log_line(LOG_WARNING, &about, "Cannot look up %s: %s; waiting %u s before try %u of %d", s->host, gai_strerror(s->resolve_error), pause,
             s->tries + 1, RUNS_MAX);
    manager_release(s->m); /* while it waits, only the timer holds */
    return true;
}

static void resolve_done(void *userdata) {
    Start *s = userdata;
    int error = s->resolve_error;

    if (error == 0)
        start_write(s);
    else if (error == EAI_NONAME || error == EAI_NODATA || error == EAI_ADDRFAMILY)
        start_failed(s, CAUSE_NO_SUCH_HOST, s->host);
    else if (!resolve_later(s))
        start_failed(s, CAUSE_NO_RESOLVER, s->host);
}

static void resolve(Start *s) {
    if (pool_submit(s->m->pool, resolve_run, resolve_done, s) < 0) {
        scheduler_restart(s->m, s->life, LOST_CALL_RETRY_MS);
        start_free(s);
    }
}

static void start_one(Manager *m, const Request *r) {
    _cleanup_ruta_ Ruta ruta = { 0 };
    const char *text;
    struct in6_addr literal;

    Transfer *x = transfers_find(m->transfers, r->life);
    if (x && x->starting)
        return;
    x = transfers_add(m->transfers, r);
    Start *s = calloc(1, sizeof(*s));
    if (!x || !s) {
        free(s);
        return;
    }
    x->starting = true;
    manager_hold(m);
    s->m = m;
    s->life = r->life;
    s->request.run = r->run;
    strcpy(s->request.id, r->id);
    if (ruta_parse(r->ruta, &ruta, &text) < 0) {
        start_failed(s, CAUSE_INTERNAL, "ruta");
        return;
    }
    snprintf(s->host, sizeof(s->host), "%s", ruta.host);
    if (!origin_is_allowed(m->settings->origins, ruta.host)) {
        start_failed(s, CAUSE_ORIGIN, ruta.host);
        return;
    }
    if (inet_pton(AF_INET, s->host, &literal) == 1 || inet_pton(AF_INET6, s->host, &literal) == 1) {
        s->addresses[0] = strdup(s->host);
        start_write(s);
        return;
    }
    resolve(s);
}

/* ---- restarts ---- */

typedef struct Restart {
    Manager *m;
    uint64_t life;
} Restart;

static void on_unit_known(void *userdata, int k, const char *active, const char *status) {
    Restart *restart = userdata;
    Manager *m = restart->m;
    _cleanup_request_ Request r = { 0 };
    uint64_t life = restart->life;
    /* A unit that has ended may stay loaded for a moment, while the one that reports it runs. */
    bool dead = unit_is_dead(active);

    free(restart);
    if (k < 0) /* no systemd to ask: later */
        scheduler_restart(m, life, LOST_CALL_RETRY_MS);
    else if (dead && store_get_life(m->store, life, &r) >= 0 && state_is_in_flight(r.state)) {
        if (r.copied)
            lifecycle_finish(m, life);
        else
            start_one(m, &r);
    } else if (dead)
        scheduler_kick(m); /* still recibido, or gone */
    /* else: it runs; its end will be reported */
    manager_release(m);
}

static void restart_now(Manager *m, void *userdata) {
    Restart *restart = userdata;
    _cleanup_request_ Request r = { 0 };

    Transfer *x = transfers_find(m->transfers, restart->life);
    int k = store_get_life(m->store, restart->life, &r);
    if (k >= 0 && state_is_under_way(r.state) && !(x && x->starting)) {
        if (r.state == STATE_RECIBIDO)
            transfers_remove(m->transfers, r.life); /* its start never became durable: back to the queue */
        if (!m->bus) {
            simulator_start(m, &r);
            free(restart);
            return;
        }
        manager_hold(m);
        k = unit_state(m->bus, UNIT_TRANSFER, r.id, on_unit_known, restart, NULL);
        if (k >= 0)
            return;
        manager_release(m);
        scheduler_restart(m, restart->life, LOST_CALL_RETRY_MS);
    }
    free(restart);
}

void scheduler_restart(Manager *m, uint64_t life, uint64_t delay_ms) {
    Restart *restart = malloc(sizeof(*restart));

    if (!restart)
        return;
    *restart = (Restart) { .m = m, .life = life };
    if (manager_after(m, delay_ms, restart_now, restart) < 0)
        free(restart);
}

/* ---- the queue ---- */

typedef struct Queue {
    Manager *m;
    unsigned free_places;
} Queue;

static int queue_walk(const Request *r, void *userdata) {
    Queue *q = userdata;

    if (transfers_find(q->m->transfers, r->life)) /* its start is under way */
        return 0;
    if (manager_is_simulator(q->m))
        simulator_start(q->m, r);
    else
        start_one(q->m, r);
    q->free_places--;
    return q->free_places == 0;
}

static void scheduler_pass(Manager *m, void *userdata) {
    unsigned running = transfers_count(m->transfers) - transfers_waiting(m->transfers), most = (unsigned) m->settings->max_transfers;
    Queue q = { .m = m, .free_places = most > running ? most - running : 0 };

    m->kick_due = false;
    if (q.free_places == 0 || m->stopping)
        return;
    int r = store_list(m->store, STATE_RECIBIDO, 0, (size_t) most * 2, queue_walk, &q);
    if (r < 0)
        log_errno(r, "Cannot read the queue");
}

void scheduler_kick(Manager *m) {
    if (m->kick_due)
        return;
    m->kick_due = manager_after(m, 0, scheduler_pass, NULL) >= 0;
}
