/* One copy from beginning to end: tries, pauses, reports. */
#pragma once

#include "transfer/options.h"

#define WORKER_TRIES 5
#define WORKER_FIRST_PAUSE_SECONDS 5
#define WORKER_LONG_TRY_SECONDS 600 /* a try that copied for so long before it broke is no failed try: counting begins anew */

/* The program's exit status. 1 and 3 need no attention beyond the request's own message; tempoftp-transfer(8). */
typedef enum WorkerExit {
    WORKER_COPIED = 0,
    WORKER_FAILED = 1,    /* and tempoftpd knows why */
    WORKER_USAGE = 2,
    WORKER_UNWANTED = 3,  /* no run token, or one of an older run: nobody waits for this copy */
    WORKER_UNREPORTED = 4 /* tempoftpd could not be told how it ended */
} WorkerExit;

/* Seconds before try n (2, 3, …). */
unsigned worker_pause(unsigned try);
WorkerExit worker_run(const Options *o, const char *token, const char *key);
