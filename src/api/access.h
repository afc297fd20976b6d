/* Telling a back end outside the state database what an account may do now: open until when, closed, or gone. What is to be told follows from the account's
 * requests at the moment of telling; that something is to be told is a durable row (store.h, AccessTask), written with the change itself.
 *
 * Nothing here is called for back ends whose accounts are the state database's alone. */
#pragma once

#include "api/manager.h"

int accesses_new(Accesses **ret) _must_use_;
Accesses *accesses_free(Accesses *a);

/* changed (en_mysql): a row of ours was found there and has been told. */
typedef void (*AccessTold)(Manager *m, bool changed, void *userdata);
/* Tells the account's latest, if there is anything to tell. told() (may be NULL) runs in any case, maybe within this call; however long the back end takes:
 * callers that can't wait don't. While the back end is known to be in trouble it is left to the retry: told(false) at once. */
void access_tell(Manager *m, const char *account, AccessTold told, void *userdata);
/* An account's change has not reached the back end although it was tried. */
bool access_is_failing(Manager *m);
/* Tells whatever is still to be told, a few accounts at a time. At start, by the sweep, when the back end is back. */
void access_kick(Manager *m);
