/* What a commit may have altered of that which store_view() shows: lives by number, up to a limit. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANGES_MAX 1024 /* lives told one by one; more than that are told as "any" */

typedef struct Changes {
    uint64_t lives[CHANGES_MAX]; /* one may stand here twice */
    size_t n;
    bool any; /* all of them may have changed */
} Changes;

void changes_note(Changes *c, uint64_t life);
void changes_note_any(Changes *c);
/* Adds what `from` holds to `to`, and empties `from`. */
void changes_move(Changes *to, Changes *from);
static inline bool changes_are_none(const Changes *c) {
    return c->n == 0 && !c->any;
}
