/* Sums up lines. Seconds are kept apart: tempoftpd tells by them which life of an id a download belongs to, and which day. */
#include "xferlog/tally.h"

#include "basic/strings.h"

#include <errno.h>

#define LOOK_BACK 32 /* a client that fetches small files writes its lines side by side; further back is not worth the search */

static bool belongs(const LogLine *a, const LogLine *b) {
    return a->when == b->when && streq(a->id, b->id) && streq(a->account, b->account) && streq(a->address, b->address);
}

int tally_add(Tally *t, const LogLine *line) {
    for (size_t i = t->n; i > 0 && t->n - i < LOOK_BACK; i--) {
        TallyRow *row = &t->rows[i - 1];
        if (belongs(&row->line, line) && row->line.bytes <= LINE_BYTES_MAX) {
            row->line.bytes += line->bytes;
            row->files++;
            return 0;
        }
    }
    if (t->n == TALLY_ROWS_MAX)
        return -E2BIG;
    t->rows[t->n++] = (TallyRow) { .line = *line, .files = 1 };
    return 0;
}
