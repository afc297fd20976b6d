/* "10/hour": a limit of calls in a fixed window that opens with the first call. CONTRACT "Access", limits.
 * The clock is a parameter (monotonic milliseconds). */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct RateLimit {
    uint32_t calls;
    uint64_t window_ms;
} RateLimit;
#define RATE_CALLS_MAX 1000000000u

/* "N/second|minute|hour|day"; N from 1 to RATE_CALLS_MAX. -EINVAL. */
int rate_limit_parse(const char *text, RateLimit *ret) _must_use_;

typedef struct RateWindow {
    uint64_t opened_ms; /* 0: never */
    uint32_t calls;
} RateWindow;
/* Counts one call. true: allowed. false: *ret_retry_s is the whole seconds (at least 1, rounded up) till the window closes; a refused call is not counted. */
bool rate_window_count(RateWindow *w, const RateLimit *limit, uint64_t now_ms, uint32_t *ret_retry_s);
