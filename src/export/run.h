/* One run from beginning to end: what tempoftpd is told of it, and how it ends. */
#pragma once

#include "export/options.h"
#include "export/remote.h"

/* The program's exit status. */
typedef enum RunExit {
    RUN_TOLD = 0,       /* a report was taken, also one of a failure; or nobody waits for this run any more */
    RUN_USAGE = 2,
    RUN_NO_ORDER = 3,   /* standard input holds none */
    RUN_UNREPORTED = 4, /* tempoftpd could not be told, or the unit was stopped while the upload is still wanted: another run goes on */
} RunExit;

/* SIGTERM and SIGINT have to be blocked in all threads. */
RunExit run_upload(const Options *o, const Line *line);
RunExit run_test(const Line *line);
