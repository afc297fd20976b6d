/* Downloads that were read and are not told yet: rows of who fetched how much of what, one for each second at most. */
#pragma once

#include "xferlog/line.h"

#define TALLY_ROWS_MAX 1024

typedef struct TallyRow {
    LogLine line; /* bytes: summed */
    uint64_t files;
} TallyRow;

typedef struct Tally {
    size_t n;
    TallyRow rows[TALLY_ROWS_MAX];
} Tally;

/* -E2BIG: full, and the line is not in it. */
int tally_add(Tally *t, const LogLine *line) _must_use_;
