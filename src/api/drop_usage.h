/* How much lies in an account's drop folder. */
#pragma once

#include "basic/cleanup.h"

#include <stdint.h>

#define DROP_USAGE_ENTRIES_MAX 100000
#define DROP_USAGE_DEPTH_MAX 32

/* Sums the sizes of all files below it that we may see. -E2BIG: more entries than DROP_USAGE_ENTRIES_MAX; -ENOENT: no drop folder. Blocks: for the pool. */
int drop_usage(int data_fd, const char *account, uint64_t *ret_bytes) _must_use_;
