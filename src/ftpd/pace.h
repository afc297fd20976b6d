/* How fast a session may move bytes: a token bucket that holds one slice of time, so that there is no burst, not even after a rest.
 *
 * Pure: the clock is a parameter (monotonic microseconds). What was moved is paid for by waiting, across transfers too: a thousand small files are no
 * faster than one large one. */
#pragma once

#include "basic/cleanup.h"

#include <stddef.h>
#include <stdint.h>

#define PACE_SLICE_US  20000 /* what may move at once is what the rate allows in this time… */
#define PACE_SLICE_MIN 512   /* …or so many bytes, when that is more */

typedef struct Pace {
    uint64_t rate;    /* bytes a second; 0: no limit */
    uint64_t paid_us; /* when everything that has moved is paid for */
} Pace;

/* Before the first byte of a transfer: rest is no credit. */
void pace_begin(Pace *p, uint64_t now_us);
/* How many of `want` bytes may move now; 0: none before *ret_wait_us have passed (rounded up, at least 1). */
size_t pace_allows(Pace *p, uint64_t now_us, size_t want, uint64_t *ret_wait_us);
void pace_moved(Pace *p, uint64_t n);
/* The lesser of two rates, where 0 is none. */
uint64_t pace_lesser(uint64_t a, uint64_t b);
/* One of n equal shares, never 0 ("no limit"). */
uint64_t pace_share(uint64_t rate, size_t n);
