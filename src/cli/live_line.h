/* What is going on with a request, on stderr: one line that is drawn again and again on a terminal, else a line for every change. */
#pragma once

#include "cli/args.h"
#include "model/progress.h"

typedef struct LiveLine {
    bool quiet, terminal;
    bool drawn;           /* the cursor stands behind our line */
    const char *state;    /* static: of the last line */
    unsigned percent;     /* of the last line of its own */
    bool started;
} LiveLine;

void live_line_init(LiveLine *l, const Args *args);
/* state: its name, static. progress NULL: not known. message NULL: none. */
void live_line_show(LiveLine *l, const char *state, const char *message, const Progress *progress);
/* Takes the line away, so that other output can follow. */
void live_line_clear(LiveLine *l);
