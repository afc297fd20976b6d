/* A bounded list of altered lives. Too many are the same as all: whoever listens then forgets everything that it read.
 * It knows no SQL and no thread. */
#include "store/changes.h"

void changes_note(Changes *c, uint64_t life) {
    if (c->any || (c->n > 0 && c->lives[c->n - 1] == life))
        return;
    if (c->n == CHANGES_MAX)
        changes_note_any(c);
    else
        c->lives[c->n++] = life;
}

void changes_note_any(Changes *c) {
    c->any = true;
    c->n = 0;
}

void changes_move(Changes *to, Changes *from) {
    if (from->any)
        changes_note_any(to);
    for (size_t i = 0; i < from->n; i++)
        changes_note(to, from->lives[i]);
    from->n = 0;
    from->any = false;
}
