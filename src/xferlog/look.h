/* One look at the log: what is new in all of its files is read and told. */
#pragma once

#include "model/log_position.h"
#include "xferlog/tally.h"

#include <systemd/sd-bus.h>

#define LOOK_QUIET_BYTES (256 * 1024) /* so much of others' lines is read again at the next look rather than told: it wakes nobody */

typedef struct Look {
    sd_bus *bus;
    const char *log;       /* its path */
    const char *data_path;
    LogPositions positions; /* as tempoftpd has them; asked for when not `asked` */
    bool asked;
    int held;              /* the log as it was found last: read to its end also when its name is gone. -EBADF */
    Tally tally;
    uint64_t told;         /* downloads, since the start */
    bool complained;       /* of lines in another format */
} Look;

/* 1: something was told; 0: nothing new. `all`: others' lines too. Errors as in report.h, or of the files; what was told before one stays told. */
int look_at_log(Look *l, bool all) _must_use_;
