/* The time values of RFC 3659 section 2.3 as clients send them (MFMT). Listings write theirs by hand: listing.h. */
#pragma once

#include "basic/cleanup.h"

#include <stdint.h>

/* "YYYYMMDDHHMMSS[.fraction]" in UTC; the fraction is checked and dropped, a leap second counts as the one before. Years 1 to 9999. -EINVAL. */
int timestamp_parse(const char *text, int64_t *ret) _must_use_;
