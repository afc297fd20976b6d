/* Compares the timers that systemd has with the ends that are nearest, and mends the difference call by call: a bus connection may have 128 calls open,
 * and a look around must not take them all. What a timer's firing does is lifecycle.c's business. */
#include "api/expiry_timers.h"

#include "basic/strings.h"
#include "units/units.h"

#include <errno.h>
#include <stdio.h>

#define TIMERS_MAX 500 /* each costs systemd memory, and time at every daemon-reload */
#define MENDS_MAX 12
#define MEND_PAUSE_MS 5000

typedef struct End {
    char id[ID_MAX + 1];
    uint64_t life;
    bool has_timer;
} End;

typedef struct Comparison {
    Manager *m;
    UnitIds armed;
    size_t at_armed;
    End *ends; /* room for TIMERS_MAX */
    size_t n_ends, at_end;
    bool failed;
} Comparison;

static Comparison *comparison_free(Comparison *c) {
    manager_release(c->m);
    free(c->armed.ids);
    free(c->ends);
    free(c);
    return NULL;
}

/* The end of a comparison; what it could not mend is tried again. */
static void comparison_end(Comparison *c) {
    if (c->failed)
        expiry_timers_mend(c->m);
    else
        c->m->timer_mends = 0;
    comparison_free(c);
}

static Comparison *comparison_new(Manager *m) {
    Comparison *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->m = m;
    manager_hold(m);
    c->ends = calloc(TIMERS_MAX, sizeof(*c->ends));
    return c->ends ? c : comparison_free(c);
}

static int is_life(const Request *r, void *userdata) {
    const uint64_t *life = userdata;
    return r->life == *life;
}

bool expiry_timers_near(Manager *m, uint64_t life) {
    int r = store_list_next_expiries(m->store, TIMERS_MAX, is_life, &life);

    return r != 0; /* one that can't be looked up gets a timer too many rather than none */
}

/* ---- what there is, what there should be ---- */

static void add_armed(void *userdata, const char *id, const char *active) {
    Comparison *c = userdata;

    unit_ids_add(&c->armed, id, active);
}

static int add_end(const Request *r, void *userdata) {
    Comparison *c = userdata;
    End *end = &c->ends[c->n_ends++];

    strcpy(end->id, r->id);
    end->life = r->life;
    return 0;
}

/* Marks the end that has this timer. */
static bool find_end(Comparison *c, const char *id) {
    for (size_t i = 0; i < c->n_ends; i++)
        if (streq(c->ends[i].id, id)) {
            c->ends[i].has_timer = true;
            return true;
        }
    return false;
}

/* ---- call by call ---- */

static void compare_next(Comparison *c);

static void on_mended(void *userdata, int r, const char *error_name, const char *message) {
    Comparison *c = userdata;

    if (r < 0) {
        log_warning("Cannot arm or disarm an expiry timer: %s", message ? message : strerror(-r));
        c->failed = true;
    }
    compare_next(c);
}

/* 0: a call is under way; 1: nothing to do for this one. */
static int disarm_surplus(Comparison *c, const char *id) {
    return find_end(c, id) ? 1 : broker_disarm_expiry(c->m->bus, id, on_mended, c, NULL);
}

static int arm_missing(Comparison *c, const End *end) {
    _cleanup_request_ Request r = { 0 };

    if (end->has_timer || store_get_life(c->m->store, end->life, &r) < 0)
        return 1;
    if (!state_has_days(r.state)) /* it has ended while others were armed */
        return 1;
    return broker_arm_expiry(c->m->bus, r.id, r.life, r.expires, on_mended, c, NULL);
}

/* Those that are too much first: find_end() marks the others on the way. */
static void compare_next(Comparison *c) {
    int r = 1;

    while (r > 0 && c->at_armed < c->armed.n)
        r = disarm_surplus(c, c->armed.ids[c->at_armed++]);
    while (r > 0 && c->at_end < c->n_ends)
        r = arm_missing(c, &c->ends[c->at_end++]);
    if (r < 0) {
        log_errno(r, "Cannot ask for expiry timers");
        c->failed = true;
    }
    if (r != 0)
        comparison_end(c);
}

static void on_listed(void *userdata, int r, const char *error_name, const char *message) {
    Comparison *c = userdata;

    if (r < 0)
        log_warning("Cannot list the expiry timers: %s", message ? message : strerror(-r));
    else
        r = store_list_next_expiries(c->m->store, TIMERS_MAX, add_end, c);
    if (r < 0) {
        c->failed = true;
        comparison_end(c);
    } else
        compare_next(c);
}

void expiry_timers_compare(Manager *m) {
    Comparison *c = comparison_new(m);

    if (c && unit_list(m->bus, UNIT_EXPIRE, add_armed, on_listed, c, NULL) < 0)
        on_listed(c, -EAGAIN, NULL, NULL);
}

static void mend(Manager *m, void *userdata) {
    m->timer_mend_waits = false;
    expiry_timers_compare(m);
}

void expiry_timers_mend(Manager *m) {
    if (m->timer_mend_waits)
        return;
    if (m->timer_mends++ >= MENDS_MAX)
        log_warning("Expiry timers are missing; access ends on time all the same, and tempoftp-sweep.timer removes what is over");
    else if (manager_after(m, MEND_PAUSE_MS, mend, NULL) >= 0)
        m->timer_mend_waits = true;
}
