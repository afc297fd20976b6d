/* Numbers in the query of a list: how many rows, and where to go on. */
#pragma once

#include "api/call.h"

#define QUERY_LIST_MAX 1000 /* rows of one answer */

/* A whole number from 1 to max; *ret stays when the parameter is absent. Anything else: answers 422 and returns false. */
bool query_number(Call *c, const char *name, uint64_t max, uint64_t *ret) _must_use_;
