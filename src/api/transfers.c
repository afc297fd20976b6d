/* The table of transfers, and asking systemd for their STATUS=. It decides nothing: scheduler.c starts them, lifecycle.c ends them. */
#include "api/transfers.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>

struct Transfers {
    Transfer *first;
    unsigned count;
};

int transfers_new(Transfers **ret) {
    Transfers *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    *ret = t;
    return 0;
}

Transfers *transfers_free(Transfers *t) {
    while (t && t->first)
        transfers_remove(t, t->first->life);
    free(t);
    return NULL;
}

Transfer *transfers_find(Transfers *t, uint64_t life) {
    for (Transfer *x = t->first; x; x = x->next)
        if (x->life == life)
            return x;
    return NULL;
}

Transfer *transfers_find_id(Transfers *t, const char *id) {
    for (Transfer *x = t->first; x; x = x->next)
        if (streq(x->id, id))
            return x;
    return NULL;
}

Transfer *transfers_add(Transfers *t, const Request *r) {
    Transfer *x = transfers_find(t, r->life);

    if (!x) {
        x = calloc(1, sizeof(*x));
        if (!x)
            return NULL;
        x->life = r->life;
        strcpy(x->id, r->id);
        x->next = t->first;
        t->first = x;
        t->count++;
    }
    x->run = r->run;
    x->sized = r->state == STATE_TRASLADO && r->sized;
    x->needed = x->reserved = x->sized && !r->copied ? r->bytes : 0;
    x->has_progress = x->waiting = false;
    x->progress_ms = 0;
    return x;
}

void transfers_remove(Transfers *t, uint64_t life) {
    for (Transfer **at = &t->first; *at; at = &(*at)->next)
        if ((*at)->life == life) {
            Transfer *x = *at;
            *at = x->next;
            sd_bus_slot_unref(x->watch);
            free(x);
            t->count--;
            return;
        }
}

unsigned transfers_count(const Transfers *t) {
    return t->count;
}

unsigned transfers_waiting(const Transfers *t) {
    unsigned n = 0;

    for (const Transfer *x = t->first; x; x = x->next)
        n += x->waiting;
    return n;
}

uint64_t transfers_reserved(const Transfers *t, uint64_t life) {
    uint64_t sum = 0;
    for (const Transfer *x = t->first; x; x = x->next)
        if (x->life != life)
            sum += x->reserved;
    return sum;
}

/* ---- progress ---- */

typedef struct Refresh {
    Manager *m;
    TransfersFresh fresh;
    void *userdata;
    unsigned open;
} Refresh;

typedef struct RefreshOne {
    Refresh *refresh;
    uint64_t life;
} RefreshOne;

static void refresh_close(Refresh *all) {
    if (--all->open > 0)
        return;
    manager_release(all->m);
    all->fresh(all->m, all->userdata);
    free(all);
}

static void take_status(Transfer *x, const char *status) {
    Progress p = { 0 };

    if (progress_parse_status(PROGRESS_COPY, status, &p) < 0)
        return;
    x->progress = p;
    x->has_progress = true;
    uint64_t left = p.total > p.bytes ? p.total - p.bytes : 0;
    if (x->sized && left < x->reserved)
        x->reserved = left;
}

static void on_state(void *userdata, int r, const char *active, const char *status) {
    RefreshOne *one = userdata;
    Transfer *x = transfers_find(one->refresh->m->transfers, one->life);

    if (r >= 0 && x)
        take_status(x, status);
    refresh_close(one->refresh);
    free(one);
}

static void ask_one(Refresh *all, Transfer *x, uint64_t max_age_ms) {
    uint64_t now = monotonic_ms();

    if (!all->m->bus || (x->progress_ms != 0 && now - x->progress_ms < max_age_ms))
        return;
    RefreshOne *one = malloc(sizeof(*one));
    if (!one)
        return;
    *one = (RefreshOne) { .refresh = all, .life = x->life };
    x->progress_ms = now;
    all->open++;
    if (unit_state(all->m->bus, UNIT_TRANSFER, x->id, on_state, one, NULL) < 0) {
        all->open--;
        free(one);
    }
}

int transfers_refresh(Manager *m, uint64_t life, uint64_t max_age_ms, TransfersFresh fresh, void *userdata) {
    Refresh *all = malloc(sizeof(*all));

    if (!all)
        return -ENOMEM;
    *all = (Refresh) { .m = m, .fresh = fresh, .userdata = userdata, .open = 1 };
    manager_hold(m);
    for (Transfer *x = m->transfers->first; x; x = x->next)
        if (life == 0 || x->life == life)
            ask_one(all, x, max_age_ms);
    refresh_close(all);
    return 0;
}
