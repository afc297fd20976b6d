/* What to make of a clock that jumps. CONTRACT "States", 9: login always compares the clock; a jump forward closes access at once but purges only
 * once time is synchronised; a jump backward never reopens anything.
 *
 * Pure: the readings are parameters. `utc` seconds, `boot_ms` CLOCK_BOOTTIME milliseconds (comparable within one boot id). */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_JUMP_SECONDS 300 /* more than this ahead of the elapsed time is a jump, not an adjustment */
#define CLOCK_TEXT_SIZE 128

typedef struct Clock {
    char boot_id[37];
    int64_t utc;     /* the highest seen: what "now" never falls below */
    int64_t anchor_utc;
    uint64_t anchor_ms;
    bool jumped;     /* forward, not yet confirmed by a synchronised clock: nothing is purged */
} Clock;

typedef struct ClockReading {
    char boot_id[37];
    int64_t utc;
    uint64_t boot_ms;
    bool synchronised; /* the kernel says that an NTP daemon keeps the clock */
} ClockReading;

/* Takes a reading in and returns "now": the larger of the reading and the highest seen. */
int64_t clock_observe(Clock *c, const ClockReading *r);
/* May data be removed for good at this moment? */
bool clock_may_purge(const Clock *c);

/* To and from one line of text, kept in the state database over restarts. Parse: -EINVAL. */
void clock_format(const Clock *c, char ret[static CLOCK_TEXT_SIZE]);
int clock_parse(const char *text, Clock *ret) _must_use_;

/* Reads the real clocks of this machine (the one impure function here: it has no other home). */
void clock_read(ClockReading *ret);
