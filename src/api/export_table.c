/* The table of exports under way, and asking systemd for their STATUS=. It starts and ends nothing. */
#include "api/export_table.h"

#include "basic/time.h"
#include "units/units.h"

#include <errno.h>

#define PROGRESS_MAX_AGE_MS 1000

int exports_new(Exports **ret) {
    Exports *x = calloc(1, sizeof(*x));

    if (!x)
        return -ENOMEM;
    *ret = x;
    return 0;
}

Running *running_find(const Exports *x, uint64_t life, uint32_t n) {
    for (Running *r = x->first; r; r = r->next)
        if (r->life == life && r->n == n)
            return r;
    return NULL;
}

Running *running_add(Exports *x, const Export *e) {
    Running *r = running_find(x, e->life, e->n);

    if (r || !(r = calloc(1, sizeof(*r))))
        return r;
    r->life = e->life;
    r->n = e->n;
    strcpy(r->id, e->id);
    r->since_ms = monotonic_ms();
    r->next = x->first;
    x->first = r;
    x->count++;
    return r;
}

void running_remove(Exports *x, uint64_t life, uint32_t n) {
    for (Running **at = &x->first; *at; at = &(*at)->next)
        if ((*at)->life == life && (*at)->n == n) {
            Running *r = *at;
            *at = r->next;
            free(r);
            x->count--;
            return;
        }
}

Exports *exports_free(Exports *x) {
    while (x && x->first)
        running_remove(x, x->first->life, x->first->n);
    free(x);
    return NULL;
}

/* ---- progress ---- */

typedef struct Refresh {
    Manager *m;
    ExportsFresh fresh;
    void *userdata;
    unsigned open;
} Refresh;

typedef struct RefreshOne {
    Refresh *all;
    uint64_t life;
    uint32_t n;
} RefreshOne;

static void refresh_close(Refresh *all) {
    if (--all->open > 0)
        return;
    all->fresh(all->m, all->userdata);
    manager_release(all->m);
    free(all);
}

static void on_state(void *userdata, int r, const char *active, const char *status) {
    RefreshOne *one = userdata;
    Running *x = running_find(one->all->m->exports, one->life, one->n);
    Progress p = { 0 };

    if (r >= 0 && x && progress_parse_status(PROGRESS_UPLOAD, status, &p) >= 0) {
        x->progress = p;
        x->has_progress = true;
    }
    refresh_close(one->all);
    free(one);
}

static void ask_one(Refresh *all, Running *x) {
    uint64_t now = monotonic_ms();
    char unit[UNIT_ID_MAX + 1];

    if (!all->m->bus || x->starting || (x->progress_ms != 0 && now - x->progress_ms < PROGRESS_MAX_AGE_MS))
        return;
    RefreshOne *one = malloc(sizeof(*one));
    if (!one)
        return;
    *one = (RefreshOne) { all, x->life, x->n };
    export_unit_id_make(x->id, x->n, unit);
    x->progress_ms = now;
    all->open++;
    if (unit_state(all->m->bus, UNIT_EXPORT, unit, on_state, one, NULL) < 0) {
        all->open--;
        free(one);
    }
}

void exports_refresh(Manager *m, uint64_t life, ExportsFresh fresh, void *userdata) {
    Refresh *all = malloc(sizeof(*all));

    if (!all) {
        fresh(m, userdata);
        return;
    }
    *all = (Refresh) { .m = m, .fresh = fresh, .userdata = userdata, .open = 1 };
    manager_hold(m);
    for (Running *x = m->exports->first; x; x = x->next)
        if (x->life == life)
            ask_one(all, x);
    refresh_close(all);
}

const Progress *exports_progress(const Manager *m, uint64_t life, uint32_t n) {
    const Running *x = running_find(m->exports, life, n);

    return x && x->has_progress ? &x->progress : NULL;
}
