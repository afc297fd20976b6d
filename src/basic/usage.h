/* How many bytes and names lie beneath a folder, however many and however deep: in constant memory, and with one fd besides the caller's. */
#pragma once

#include "basic/cleanup.h"

#include <stdint.h>

#define USAGE_NAMES_MAX 100000           /* files and folders in a folder that strangers fill: they take room too, and counting them takes time */
#define USAGE_FOLDERS_SIZE (1U << 20)    /* names of folders still to be counted */

/* Regular files by their length, everything else as a name. `folder`: below dir_fd, a leading '/' counts for nothing, "/" is dir_fd itself; no symbolic
 * link leads there or is followed. What vanishes meanwhile, or may not be read, is not counted. -E2BIG: more than names_max names, or folders too many
 * or too deep (PATH_MAX) to count; another negative errno: `folder` can't be opened. Blocks for as long as it takes. openat2(2), getdents64(2). */
int usage_of(int dir_fd, const char *folder, uint64_t names_max, uint64_t *ret_bytes, uint64_t *ret_names) _must_use_;
