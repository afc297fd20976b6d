/* From a row to a running unit: host looked up on the pool, run and token written down, secret put into a pipe, broker asked. Whatever is interrupted is found
 * in the database and done again (exports_compare).
 *
 * The simulator sends nothing anywhere: after its delay an export has arrived, or, to a name that ends in ".invalid" or a
 * SFTP server whose key nobody has accepted, failed. */
#include "api/export_change.h"
#include "api/export_host.h"
#include "api/export_table.h"
#include "api/scheduler.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "crypto/password.h"
#include "units/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define NO_DESTINATION "el destino no se pudo leer"
#define LOOK_AGAIN_MS 1000
#define WRITE_AGAIN_MS 5000 /* a full disk is not emptied by asking */

static void look_again(Manager *m, void *userdata) {
    exports_compare(m);
}

static void ended(ExportChange *c, int r) {
    running_remove(c->m->exports, c->life, c->n);
    if (r >= 0 || r == -ESTALE || r == -ENOENT)
        exports_kick(c->m);
    else {
        log_errno(r, "Cannot write down the end of export %u of life %" PRIu64, c->n, c->life);
        (void) !manager_after(c->m, WRITE_AGAIN_MS, look_again, NULL);
    }
}

void export_fail(Manager *m, const Export *e, ExportCause cause, const char *detail) {
    ExportChange *c = export_change_new(m, e, EXPORT_ERROR, ended, NULL);

    if (!c) {
        running_remove(m->exports, e->life, e->n);
        return;
    }
    export_cause_message(cause, detail, c->message, sizeof(c->message));
    export_change_line(c, "upload %u to '%s' failed: %s%s%s", e->n, e->name, export_cause_name(cause), detail && *detail ? ": " : "", detail ? detail : "");
    export_change_run(c);
}

typedef struct Start {
    Manager *m;
    Export e; /* its message is not kept */
    Destination destination;
    HostLookup lookup;
    char account[ACCOUNT_NAME_MAX + 1];
    unsigned tries; /* to look the host up */
} Start;

/* Before a timer gets it: one that never fires frees nothing but the block itself. */
static void start_let_go(Start *s) {
    host_lookup_done(&s->lookup);
    destination_done(&s->destination);
}

/* The chain has ended: it runs, or somebody else goes on. */
static void start_free(Start *s) {
    Running *r = running_find(s->m->exports, s->e.life, s->e.n);

    if (r) {
        r->starting = false;
        r->since_ms = monotonic_ms();
    }
    start_let_go(s);
    manager_release(s->m);
    wipe(s->e.token, sizeof(s->e.token));
    free(s);
}

static void start_failed(Start *s, ExportCause cause, const char *detail) {
    export_fail(s->m, &s->e, cause, detail);
    start_free(s);
}

/* For now. The row says what to do when it is looked at again. */
static void start_later(Start *s, uint64_t pause_ms) {
    Manager *m = s->m;

    running_remove(m->exports, s->e.life, s->e.n);
    start_free(s);
    (void) !manager_after(m, pause_ms, look_again, NULL);
}

static void on_older_stopped(void *userdata, int r, const char *error_name, const char *message) {
    start_later(userdata, LOOK_AGAIN_MS);
}

static void on_started(void *userdata, int r, const char *error_name, const char *message) {
    Start *s = userdata;
    Manager *m = s->m;

    if (r >= 0) {
        start_free(s);
        exports_settle(m); /* cancelled meanwhile? */
    } else if (r == -EALREADY) /* an older run's unit, whose reports count no more */
        export_stop(m, s->e.id, s->e.n, on_older_stopped, s);
    else if (r == -ECHILD || r == -EINVAL || r == -EPERM)
        start_failed(s, EXPORT_UNIT, message ? message : strerror(-r));
    else { /* broker or systemd gave no answer: look at what is, then go on from there */
        log_warning("The start of tempoftp-export-%s-%u.service is uncertain (%s), looking again", s->e.id, s->e.n, message ? message : strerror(-r));
        uint64_t pause_ms = run_pause(s->e.run) * UINT64_C(1000);
        start_free(s);
        (void) !manager_after(m, pause_ms, look_again, NULL);
    }
}

static void ask_broker(Start *s) {
    _cleanup_close_ int order = export_order_pipe(s->m, &s->destination, &s->lookup, s->e.token);

    if (order < 0) {
        start_failed(s, order == -EBADMSG ? EXPORT_SECRET : EXPORT_INTERNAL, NULL);
        return;
    }
    int r = broker_start_export(s->m->bus, s->e.id, s->e.life, s->e.n, s->e.run, s->account, s->lookup.addresses, order, on_started, s, NULL);
    if (r < 0)
        on_started(s, r, NULL, NULL);
}

static void simulated(Manager *m, void *userdata) {
    Start *s = userdata;
    _cleanup_request_ Request r = { 0 };
    ExportChange *c = store_get_life(m->store, s->e.life, &r) < 0 ? NULL : export_change_new(m, &s->e, EXPORT_LISTO, ended, NULL);

    manager_hold(m);
    if (c) {
        c->bytes = r.bytes;
        c->files = r.files;
        export_change_line(c, "upload %u to '%s' is complete (simulated)", s->e.n, s->e.name);
        export_change_run(c);
    }
    start_free(s);
}

/* From here on it runs, as far as anybody can see. */
static void simulate(Start *s) {
    Manager *m = s->m;
    Running *x = running_find(m->exports, s->e.life, s->e.n);

    if (x)
        x->starting = false;
    start_let_go(s);
    if (manager_after(m, m->settings->sim_delay_ms, simulated, s) >= 0)
        manager_release(m); /* while it waits, only the timer holds */
    else
        start_failed(s, EXPORT_INTERNAL, NULL);
}

static void on_written(ExportChange *c, int r) {
    Start *s = c->userdata;
    Manager *m = c->m;

    if (r == -ESTALE || r == -ENOENT) { /* cancelled meanwhile */
        running_remove(m->exports, s->e.life, s->e.n);
        start_free(s);
        exports_kick(m);
    } else if (r < 0) {
        log_errno(r, "Cannot write down the start of an export, trying again");
        start_later(s, WRITE_AGAIN_MS);
    } else {
        s->e = c->row;
        s->e.message = NULL;
        if (m->bus)
            ask_broker(s);
        else
            simulate(s);
    }
}

static void start_write(Start *s) {
    ExportChange *c = export_change_new(s->m, &s->e, EXPORT_SUBIENDO, on_written, s);
    uint8_t token[16];

    if (!c) {
        start_later(s, LOOK_AGAIN_MS);
        return;
    }
    random_bytes(token, sizeof(token));
    hex_encode(token, sizeof(token), c->token);
    wipe(token, sizeof(token));
    export_change_line(c, "upload %u to '%s' begins%s", s->e.n, s->e.name, s->e.run > 0 ? " again" : "");
    export_change_run(c);
}

/* ---- the host, on the pool ---- */

static void look_up(void *userdata) {
    Start *s = userdata;
    host_lookup_run(&s->lookup);
}

static void start_look_up(Start *s);

static void look_up_again(Manager *m, void *userdata) {
    Start *s = userdata;

    manager_hold(m);
    if (store_destination(m->store, s->e.destination, &s->destination) < 0)
        start_failed(s, EXPORT_INTERNAL, NO_DESTINATION);
    else {
        host_lookup_init(&s->lookup, m, s->destination.host);
        start_look_up(s);
    }
}

static void looked_up(void *userdata) {
    Start *s = userdata;
    unsigned pause = run_pause(s->tries + 1);

    if (s->lookup.ok)
        start_write(s);
    else if (!s->lookup.temporary || s->tries + 1 >= RUNS_MAX || manager_after(s->m, pause * 1000, look_up_again, s) < 0)
        start_failed(s, s->lookup.cause, s->lookup.detail);
    else {
        s->tries++;
        start_let_go(s);
        log_warning("Cannot look up %s for export %u of %s; waiting %u s before try %u of %d", s->lookup.host, s->e.n, s->e.id, pause, s->tries + 1, RUNS_MAX);
        manager_release(s->m);
    }
}

static void start_look_up(Start *s) {
    if (pool_submit(s->m->pool, look_up, looked_up, s) < 0)
        start_failed(s, EXPORT_INTERNAL, NULL);
}

void export_start(Manager *m, const Export *e) {
    _cleanup_request_ Request r = { 0 };
    Running *x = running_add(m->exports, e);
    Start *s = x ? calloc(1, sizeof(*s)) : NULL;

    if (!s)
        return;
    x->starting = true;
    manager_hold(m);
    s->m = m;
    s->e = *e;
    s->e.message = NULL;
    int k = store_destination(m->store, e->destination, &s->destination);
    if (k >= 0)
        k = store_get_life(m->store, e->life, &r);
    if (k < 0) {
        start_failed(s, EXPORT_INTERNAL, NO_DESTINATION);
        return;
    }
    strcpy(s->account, r.account);
    host_lookup_init(&s->lookup, m, s->destination.host);
    if (e->run >= EXPORT_RUNS_MAX)
        start_failed(s, EXPORT_UNIT, NULL);
    else if (m->bus)
        start_look_up(s);
    else if (has_suffix(s->destination.host, ".invalid"))
        start_failed(s, EXPORT_RESOLVE, s->destination.host);
    else if (s->destination.type == DESTINATION_SFTP && !s->destination.host_key[0])
        start_failed(s, EXPORT_HOST_KEY_UNKNOWN, NULL);
    else
        start_write(s);
}
