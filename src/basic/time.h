/* Time as the wire shows it, and clocks as parameters.
 *
 * Units: `utc` is whole seconds since 1970 in UTC, 0 = unknown; `_ms` monotonic milliseconds. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

#define RFC3339_SIZE 21 /* "2026-11-21T11:30:00Z" and NUL */

int64_t utc_now(void);
uint64_t monotonic_ms(void);
uint64_t monotonic_us(void);
/* RFC 3339, UTC, whole seconds, "Z". Years 0 to 9999; out of range is clamped. */
void rfc3339_format(int64_t utc, char ret[static RFC3339_SIZE]);
/* The same spelling, or "2026-11-21" alone, which is the day's first second (*ret_day, may be NULL: it was one). Years 1 to 9999. -EINVAL. */
int rfc3339_parse(const char *text, int64_t *ret, bool *ret_day) _must_use_;
