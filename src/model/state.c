/* The states' wire names and the one table of who may move where.
 *
 * What a move entails (folders, accounts, timers) is known to tempoftpd alone. */
#include "model/state.h"

#include "basic/strings.h"

#include <errno.h>

#define TO(s) (1u << (s))

static const struct {
    const char *name;
    unsigned to; /* bits of the states it may move to */
} states[STATE_MAX] = {
    [STATE_RECIBIDO] = { "recibido", TO(STATE_PREPARANDO) | TO(STATE_ERROR) | TO(STATE_ELIMINADO) },
    /* Back to the queue when its unit can't be started for now. */
    [STATE_PREPARANDO] = { "preparando",
                           TO(STATE_RECIBIDO) | TO(STATE_TRASLADO) | TO(STATE_ERROR) | TO(STATE_ELIMINADO) },
    /* Back to sizing when the unit was lost (reboot, kill): the staging copy resumes. */
    [STATE_TRASLADO] = { "traslado", TO(STATE_RECIBIDO) | TO(STATE_PREPARANDO) | TO(STATE_LISTO) | TO(STATE_ERROR) |
                                         TO(STATE_ELIMINADO) },
    [STATE_LISTO] = { "listo", TO(STATE_BLOQUEADO) | TO(STATE_EXPIRADO) | TO(STATE_ELIMINADO) },
    [STATE_BLOQUEADO] = { "bloqueado", TO(STATE_LISTO) | TO(STATE_EXPIRADO) | TO(STATE_ELIMINADO) },
    [STATE_EXPIRADO] = { "expirado", TO(STATE_ELIMINADO) },
    [STATE_ERROR] = { "error", TO(STATE_ELIMINADO) },
    [STATE_ELIMINADO] = { "eliminado", 0 },
};

const char *state_name(State s) {
    return states[s].name;
}

int state_parse(const char *name, State *ret) {
    for (State s = 0; s < STATE_MAX; s++)
        if (streq(name, states[s].name)) {
            *ret = s;
            return 0;
        }
    return -EINVAL;
}

bool state_may_move(State from, State to) {
    return (states[from].to & TO(to)) != 0;
}

bool state_is_under_way(State s) {
    return s == STATE_RECIBIDO || state_is_in_flight(s);
}

bool state_is_in_flight(State s) {
    return s == STATE_PREPARANDO || s == STATE_TRASLADO;
}

bool state_has_days(State s) {
    return s == STATE_LISTO || s == STATE_BLOQUEADO;
}

bool state_is_final(State s) {
    return s == STATE_ERROR || s == STATE_EXPIRADO || s == STATE_ELIMINADO;
}
