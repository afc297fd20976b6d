/* Which exports run and which wait, what workers and units report of them, and what the database says when nobody does. How one is started stands in
 * export_start.c, how its row is written in export_change.c; who is asked by whom in export_calls.c and bus.c. */
#include "api/export_queue.h"

#include "api/export_change.h"
#include "api/export_table.h"
#include "api/scheduler.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "units/units.h"

#include <errno.h>
#include <inttypes.h>

typedef struct Queue {
    Manager *m;
    unsigned free_places;
} Queue;

static int queue_walk(const Export *e, void *userdata) {
    Queue *q = userdata;

    if (running_find(q->m->exports, e->life, e->n)) /* its start is under way */
        return 0;
    export_start(q->m, e);
    return --q->free_places == 0;
}

static void queue_pass(Manager *m, void *userdata) {
    unsigned most = m->settings->export_max, running = m->exports->count;
    Queue q = { .m = m, .free_places = most > running ? most - running : 0 };

    m->exports->kick_due = false;
    if (q.free_places == 0 || m->stopping)
        return;
    int r = store_list_active_exports(m->store, EXPORT_PENDIENTE, (size_t) most * 2, queue_walk, &q);
    if (r < 0)
        log_errno(r, "Cannot read the queue of exports");
}

void exports_kick(Manager *m) {
    if (!m->exports->kick_due)
        m->exports->kick_due = manager_after(m, 0, queue_pass, NULL) >= 0;
}

/* ---- reports ---- */

typedef struct Again {
    uint64_t life;
    uint32_t n;
} Again;

static void start_again(Manager *m, void *userdata) {
    Again again = *(Again *) userdata;
    _cleanup_export_ Export e = { 0 };

    free(userdata);
    if (store_export(m->store, again.life, again.n, &e) >= 0 && e.state == EXPORT_SUBIENDO)
        export_start(m, &e);
    else { /* cancelled meanwhile */
        running_remove(m->exports, again.life, again.n);
        exports_kick(m);
    }
}

void export_unit_ended(Manager *m, uint64_t life, uint32_t n, uint32_t run, const char *detail) {
    Running *x = running_find(m->exports, life, n);
    _cleanup_export_ Export e = { 0 };

    if (store_export(m->store, life, n, &e) < 0 || e.state != EXPORT_SUBIENDO || e.run != run || (x && x->starting))
        return; /* it has reported, or another run has begun */
    x = running_add(m->exports, &e);
    Again *again = x && run < EXPORT_RUNS_MAX ? malloc(sizeof(*again)) : NULL;
    if (again)
        *again = (Again) { life, n };
    if (!again || manager_after(m, run_pause(run) * 1000, start_again, again) < 0) {
        free(again);
        export_fail(m, &e, EXPORT_UNIT, detail);
        return;
    }
    x->starting = true;
    log_warning("tempoftp-export-%s-%u.service ended without a report (%s), starting it again in %u s", e.id, n, detail, run_pause(run));
}

/* A worker may be anybody's by now: what it writes is text, of one line and not much of it. */
static void take_text(char *ret, size_t size, const char *text) {
    size_t max = size - 1 < EXPORT_NOTE_MAX ? size - 1 : EXPORT_NOTE_MAX, n = 0;

    for (; text && text[n] && n < max; n++)
        ret[n] = (unsigned char) text[n] < ' ' || text[n] == 0x7f ? '?' : text[n];
    while (n > 0 && !utf8_is_valid(ret, n))
        n--;
    ret[n] = '\0';
}

typedef struct Reported {
    ExportReported done;
    void *userdata;
    bool over;
} Reported;

static void reported(ExportChange *c, int r) {
    Reported *told = c->userdata;

    if (r >= 0 && told->over) {
        running_remove(c->m->exports, c->life, c->n);
        exports_kick(c->m);
    }
    told->done(told->userdata, r == -ENOENT ? -ESTALE : r);
    free(told);
}

void export_report(Manager *m, const ExportReport *report, ExportReported done, void *userdata) {
    static const ExportState states[] = { [EXPORT_SAYS_NOTE] = EXPORT_SUBIENDO, [EXPORT_SAYS_DONE] = EXPORT_LISTO, [EXPORT_SAYS_FAILED] = EXPORT_ERROR };
    _cleanup_export_ Export e = { 0 };
    char text[EXPORT_NOTE_MAX + 1];

    int r = store_export_by_token(m->store, report->token, &e);
    Reported *told = r < 0 ? NULL : malloc(sizeof(*told));
    ExportChange *c = told ? export_change_new(m, &e, states[report->kind], reported, told) : NULL;
    if (!c) {
        free(told);
        done(userdata, r == -ENOENT || r == -EINVAL ? -ESTALE : r < 0 ? r : -ENOMEM);
        return;
    }
    *told = (Reported) { done, userdata, export_state_is_over(states[report->kind]) };
    take_text(text, sizeof(text), report->text);
    if (report->kind == EXPORT_SAYS_NOTE)
        export_change_line(c, "%s", text);
    else if (report->kind == EXPORT_SAYS_DONE) {
        c->bytes = report->bytes;
        c->files = report->files;
        export_change_line(c, "upload %u to '%s' is complete: %" PRIu64 " files, %" PRIu64 " bytes", e.n, e.name, c->files, c->bytes);
    } else {
        export_cause_message(report->cause, text, c->message, sizeof(c->message));
        export_change_line(c, "upload %u to '%s' failed: %s%s%s", e.n, e.name, export_cause_name(report->cause), text[0] ? ": " : "", text);
    }
    export_change_run(c);
}

/* ---- what is, and what should be ---- */

typedef struct Compare {
    Manager *m;
    UnitIds units;
    uint64_t began_ms;
    bool listed;
} Compare;

static int revive(const Export *e, void *userdata) {
    Compare *all = userdata;
    Running *x = running_find(all->m->exports, e->life, e->n);
    char unit[UNIT_ID_MAX + 1];

    export_unit_id_make(e->id, e->n, unit);
    if (x && (x->starting || x->since_ms > all->began_ms || !all->m->bus))
        return 0; /* younger than the list */
    if (unit_ids_have(&all->units, unit)) {
        (void) !running_add(all->m->exports, e); /* its end will be reported */
        return 0;
    }
    if (e->run > 0 && all->m->bus)
        log_notice("Export %u of %s has no unit: starting it again", e->n, e->id);
    export_start(all->m, e);
    return 0;
}

static void compare_end(Compare *all) {
    if (all->listed)
        (void) !store_list_active_exports(all->m->store, EXPORT_SUBIENDO, SIZE_MAX >> 1, revive, all);
    exports_kick(all->m);
    manager_release(all->m);
    free(all->units.ids);
    free(all);
}

static void add_unit(void *userdata, const char *id, const char *active) {
    Compare *all = userdata;

    unit_ids_add(&all->units, id, active);
}

/* Does a row want this unit? */
static bool is_wanted(Manager *m, const char *unit, char ret_id[static ID_MAX + 1], uint32_t *ret_n) {
    _cleanup_request_ Request r = { 0 };
    _cleanup_export_ Export e = { 0 };

    if (export_unit_id_parse(unit, ret_id, ret_n) < 0)
        return true; /* nobody's that we know how to stop */
    return store_get(m->store, ret_id, &r) >= 0 && store_export(m->store, r.life, *ret_n, &e) >= 0 && e.state == EXPORT_SUBIENDO;
}

static void on_listed(void *userdata, int r, const char *error_name, const char *message) {
    Compare *all = userdata;
    char id[ID_MAX + 1];
    uint32_t n;

    all->listed = r >= 0;
    if (r < 0)
        log_warning("Cannot list the units of exports: %s", message ? message : strerror(-r));
    for (size_t i = 0; r >= 0 && i < all->units.n; i++)
        if (!is_wanted(all->m, all->units.ids[i], id, &n)) {
            log_notice("tempoftp-export-%s.service belongs to no export under way: stopping it", all->units.ids[i]);
            export_stop(all->m, id, n, NULL, NULL);
        }
    compare_end(all);
}

void exports_compare(Manager *m) {
    Compare *all = calloc(1, sizeof(*all));

    if (!all)
        return;
    *all = (Compare) { .m = m, .began_ms = monotonic_ms(), .listed = !m->bus };
    manager_hold(m);
    if (!m->bus)
        compare_end(all);
    else if (unit_list(m->bus, UNIT_EXPORT, add_unit, on_listed, all, NULL) < 0)
        on_listed(all, -EAGAIN, NULL, NULL);
}
