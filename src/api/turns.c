/* Who may speak about which name now: a list of taken names, each with those who wait for it. It knows nothing of what is done in a turn. */
#include "api/turns.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct Waiter {
    TurnGranted granted;
    void *userdata;
    struct Waiter *next;
} Waiter;

typedef struct Turn {
    char name[TURN_NAME_MAX + 1];
    bool free, granting;
    Waiter *first, **end;
    struct Turn *next;
} Turn;

struct Turns {
    Turn *first;
};

int turns_new(Turns **ret) {
    Turns *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    *ret = t;
    return 0;
}

static Waiter *waiter_pop(Turn *turn) {
    Waiter *w = turn->first;

    if (w && !(turn->first = w->next))
        turn->end = &turn->first;
    return w;
}

static void turn_remove(Turns *t, Turn *turn) {
    for (Turn **at = &t->first; *at; at = &(*at)->next)
        if (*at == turn) {
            *at = turn->next;
            break;
        }
    free(turn);
}

Turns *turns_free(Turns *t) {
    while (t && t->first) {
        for (Waiter *w; (w = waiter_pop(t->first));)
            free(w);
        turn_remove(t, t->first);
    }
    free(t);
    return NULL;
}

static Turn *turn_find(const Turns *t, const char *name) {
    for (Turn *turn = t->first; turn; turn = turn->next)
        if (strcmp(turn->name, name) == 0)
            return turn;
    return NULL;
}

bool turns_are_taken(const Turns *t, const char *name) {
    return turn_find(t, name);
}

/* A loop, not a chain of calls: who is granted a turn may give it back at once, and so may a thousand after him. */
static void turn_grant(Turns *t, Turn *turn) {
    if (turn->granting)
        return;
    turn->granting = true;
    for (Waiter *w; turn->free && (w = waiter_pop(turn));) {
        turn->free = false;
        w->granted(w->userdata);
        free(w);
    }
    turn->granting = false;
    if (turn->free)
        turn_remove(t, turn);
}

int turns_take(Turns *t, const char *name, TurnGranted granted, void *userdata) {
    Turn *turn = turn_find(t, name);
    Waiter *w = malloc(sizeof(*w));

    assert(strlen(name) <= TURN_NAME_MAX);
    if (w && !turn && (turn = calloc(1, sizeof(*turn)))) {
        strcpy(turn->name, name);
        turn->free = true;
        turn->end = &turn->first;
        turn->next = t->first;
        t->first = turn;
    }
    if (!w || !turn) {
        free(w);
        return -ENOMEM;
    }
    *w = (Waiter) { .granted = granted, .userdata = userdata };
    *turn->end = w;
    turn->end = &w->next;
    turn_grant(t, turn);
    return 0;
}

void turns_give_back(Turns *t, const char *name) {
    Turn *turn = turn_find(t, name);

    assert(turn && !turn->free);
    turn->free = true;
    turn_grant(t, turn);
}
