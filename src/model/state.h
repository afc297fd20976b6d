/* The states of a request and who moves when. CONTRACT "States"; the transition table stands in state.c and nowhere else. */
#pragma once

#include <stdbool.h>

typedef enum State {
    STATE_RECIBIDO,   /* queued */
    STATE_PREPARANDO, /* the unit runs, size and space */
    STATE_TRASLADO,   /* copying, then the account */
    STATE_LISTO,      /* usable */
    STATE_BLOQUEADO,  /* withdrawn by an operator, may come back */
    STATE_EXPIRADO,   /* its days are over */
    STATE_ERROR,      /* final failure before listo */
    STATE_ELIMINADO,  /* deleted; the row stays for the audit, the API says 404 */
    STATE_MAX,
} State;

/* Wire name ("recibido"…). */
const char *state_name(State s);
/* -EINVAL when it is no state's name. */
int state_parse(const char *name, State *ret) __attribute__((warn_unused_result));
/* May a request in `from` move to `to`? */
bool state_may_move(State from, State to);
bool state_is_under_way(State s); /* recibido, preparando, traslado */
bool state_is_in_flight(State s); /* preparando, traslado: a unit belongs to it */
bool state_has_days(State s);     /* listo, bloqueado: its days are counted, and end */
bool state_is_final(State s);     /* error, expirado, eliminado */
