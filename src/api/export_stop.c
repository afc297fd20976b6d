/* Ends the units of exports that are no longer wanted, and asks again when nobody answers. */
#include "api/export_table.h"

#include "units/units.h"

#include <errno.h>
#include <stdio.h>

#define STOP_TRIES_MAX 5
#define STOP_PAUSE_MS 500

typedef struct Stop {
    Manager *m;
    char id[ID_MAX + 1];
    uint32_t n;
    unsigned tries;
    ExportStopped stopped;
    void *userdata;
} Stop;

static void stop_send(Manager *m, void *userdata);

/* Nobody may believe that it has ended while it may still send: ask a few times. */
static void on_stopped(void *userdata, int r, const char *error_name, const char *message) {
    Stop *s = userdata;
    Manager *m = s->m;

    if (r == -EAGAIN && s->tries++ < STOP_TRIES_MAX && manager_after(m, STOP_PAUSE_MS, stop_send, s) >= 0) {
        manager_release(m); /* while it waits, only the timer holds */
        return;
    }
    if (r < 0)
        log_warning("Cannot stop tempoftp-export-%s-%u.service, will be tried again: %s", s->id, s->n, message ? message : strerror(-r));
    if (s->stopped)
        s->stopped(s->userdata, r, error_name, message);
    manager_release(m);
    free(s);
}

static void stop_send(Manager *m, void *userdata) {
    Stop *s = userdata;

    manager_hold(m);
    int r = m->bus ? broker_stop_export(m->bus, s->id, s->n, on_stopped, s, NULL) : 0;
    if (r < 0 || !m->bus)
        on_stopped(s, r, NULL, NULL);
}

void export_stop(Manager *m, const char *id, uint32_t n, ExportStopped stopped, void *userdata) {
    Stop *s = calloc(1, sizeof(*s));

    if (!s) {
        if (stopped)
            stopped(userdata, -ENOMEM, NULL, NULL);
        return;
    }
    *s = (Stop) { .m = m, .n = n, .stopped = stopped, .userdata = userdata };
    snprintf(s->id, sizeof(s->id), "%s", id);
    stop_send(m, s);
}

void exports_settle(Manager *m) {
    for (Running *r = m->exports->first, *next; r; r = next) {
        _cleanup_export_ Export e = { 0 };
        next = r->next;
        if (r->starting || store_export(m->store, r->life, r->n, &e) < 0 || e.state == EXPORT_SUBIENDO)
            continue;
        export_stop(m, r->id, r->n, NULL, NULL);
        running_remove(m->exports, r->life, r->n);
    }
    exports_kick(m);
}

