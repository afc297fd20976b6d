/* How many bytes and names lie beneath a folder. */
#pragma once

#include "basic/cleanup.h"

#include <stdint.h>

#define USAGE_FOLDERS_SIZE (1U << 20) /* names of folders still to be counted */

/* Regular files by their length; `folder` is a virtual path. -E2BIG: more than names_max names, or folders too many or too deep to count. */
int usage_of(int home_fd, const char *folder, uint64_t names_max, uint64_t *ret_bytes, uint64_t *ret_names) _must_use_;
