/* Numbers and times in the query of a list: how many rows, which, and where to go on. */
#pragma once

#include "api/call.h"

#define QUERY_LIST_MAX 1000 /* rows of one answer */

/* A whole number from min (or 1) to max; *ret stays when the parameter is absent. Anything else: answers 422 and returns false. */
bool query_number_from(Call *c, const char *name, uint64_t min, uint64_t max, uint64_t *ret) _must_use_;
bool query_number(Call *c, const char *name, uint64_t max, uint64_t *ret) _must_use_;
/* RFC 3339 in UTC, or a day; *ret (UTC seconds) stays when the parameter is absent. end: a day is meant to its last second. Anything else: 422, false. */
bool query_time(Call *c, const char *name, bool end, int64_t *ret) _must_use_;
