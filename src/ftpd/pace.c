/* The arithmetic of rates. Who asks, and what is done while waiting, is data.c's business. */
#include "ftpd/pace.h"

#define US_PER_SECOND 1000000ULL

void pace_begin(Pace *p, uint64_t now_us) {
    if (p->paid_us < now_us)
        p->paid_us = now_us;
}

size_t pace_allows(Pace *p, uint64_t now_us, size_t want, uint64_t *ret_wait_us) {
    if (p->rate == 0)
        return want;
    if (p->paid_us > now_us) {
        *ret_wait_us = p->paid_us - now_us;
        return 0;
    }
    /* Timers ring late: one slice of that is made up for, or the rate would never be reached. */
    if (p->paid_us + PACE_SLICE_US < now_us)
        p->paid_us = now_us - PACE_SLICE_US;
    uint64_t slice = p->rate / (US_PER_SECOND / PACE_SLICE_US);
    if (slice < PACE_SLICE_MIN)
        slice = PACE_SLICE_MIN;
    return want < slice ? want : (size_t) slice;
}

void pace_moved(Pace *p, uint64_t n) {
    if (p->rate == 0)
        return;
    /* In two steps, so that no product is too large. */
    p->paid_us += n / p->rate * US_PER_SECOND + n % p->rate * US_PER_SECOND / p->rate;
}

uint64_t pace_lesser(uint64_t a, uint64_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

uint64_t pace_share(uint64_t rate, size_t n) {
    uint64_t share = n > 1 ? rate / n : rate;
    return rate != 0 && share == 0 ? 1 : share;
}
