/* The simulated copier: walks a request through preparando, traslado and the end with the very same changes that real units cause.
 * It touches no file, no network and no systemd. */
#include "api/simulator.h"

#include "api/lifecycle.h"
#include "api/scheduler.h"
#include "api/transfers.h"
#include "model/texts.h"

#include <errno.h>
#include <stdio.h>

#define SIMULATED_FILES 1

typedef struct Simulation {
    uint64_t life;
    State next; /* what the coming step does */
} Simulation;

bool simulator_fits(const Manager *m) {
    const Settings *s = m->settings;
    uint64_t reserved = transfers_reserved(m->transfers, 0);

    return reserved <= s->sim_data_free_bytes && s->sim_remote_size_bytes <= s->sim_data_free_bytes - reserved;
}

static void simulation_step(Manager *m, void *userdata);

static void simulation_go_on(Manager *m, Simulation *sim, State next) {
    sim->next = next;
    if (manager_after(m, m->settings->sim_delay_ms, simulation_step, sim) < 0)
        free(sim);
}

static void step_done(Change *c, int r) {
    Simulation *sim = c->userdata;
    Manager *m = c->m;

    if (r < 0) { /* deleted meanwhile */
        transfers_remove(m->transfers, sim->life);
        free(sim);
        scheduler_kick(m);
        return;
    }
    if (sim->next == STATE_PREPARANDO)
        simulation_go_on(m, sim, STATE_TRASLADO);
    else if (sim->next == STATE_TRASLADO)
        simulation_go_on(m, sim, STATE_LISTO);
    else {
        lifecycle_finish(m, sim->life);
        free(sim);
    }
}

static int apply_start(StoreTx *tx, Change *c) {
    Actor who = change_actor(c);

    if (!state_is_under_way(c->request.state))
        return -ESTALE;
    c->request.run++;
    c->request.sized = c->request.copied = false;
    if (c->request.state == STATE_PREPARANDO)
        return tx_update(tx, &c->request, NULL, &who, NULL);
    return tx_move(tx, &c->request, STATE_PREPARANDO, NULL, &who, NULL);
}

static void simulation_fail(Manager *m, Simulation *sim, Cause cause, const char *text) {
    lifecycle_fail(m, sim->life, 0, cause, text);
    free(sim);
}

static void simulation_step(Manager *m, void *userdata) {
    static const ChangeApply applies[] = {
        [STATE_PREPARANDO] = apply_start,
        [STATE_TRASLADO] = change_apply_sized,
        [STATE_LISTO] = change_apply_copied,
    };
    Simulation *sim = userdata;
    Transfer *x = transfers_find(m->transfers, sim->life);

    if (sim->next == STATE_TRASLADO) {
        if (!simulator_fits(m)) {
            simulation_fail(m, sim, CAUSE_TOO_LARGE, TEXT_NO_SPACE);
            return;
        }
        if (x)
            x->reserved = m->settings->sim_remote_size_bytes;
    }
    if (sim->next == STATE_LISTO && m->settings->sim_force == SIM_FAIL) {
        simulation_fail(m, sim, CAUSE_INTERNAL, SIMULATOR_FAILED);
        return;
    }
    Change *c = change_new(m, applies[sim->next], step_done, sim);
    if (!c) {
        free(sim);
        return;
    }
    c->life = sim->life;
    c->bytes = m->settings->sim_remote_size_bytes;
    c->files = SIMULATED_FILES;
    change_run(c);
}

void simulator_start(Manager *m, const Request *r) {
    Simulation *sim = calloc(1, sizeof(*sim));

    if (!sim || !transfers_add(m->transfers, r)) {
        free(sim);
        return;
    }
    sim->life = r->life;
    sim->next = STATE_PREPARANDO;
    simulation_step(m, sim);
}
