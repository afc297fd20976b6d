/* One at a time for each name: whoever takes a turn has the name to himself until he gives it back; others wait in the order they came.
 *
 * All on the loop thread. A name is at most TURN_NAME_MAX bytes. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>

#define TURN_NAME_MAX 254

typedef struct Turns Turns;
typedef void (*TurnGranted)(void *userdata);

int turns_new(Turns **ret) _must_use_;
/* Nobody who still waits is called. */
Turns *turns_free(Turns *t);
/* Calls granted() within this call when the name is free, else within somebody's turns_give_back(). -ENOMEM: not called and not waiting. */
int turns_take(Turns *t, const char *name, TurnGranted granted, void *userdata) _must_use_;
void turns_give_back(Turns *t, const char *name);
bool turns_are_taken(const Turns *t, const char *name);
