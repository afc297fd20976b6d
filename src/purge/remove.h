/* Removes a tree that a stranger built: any depth, any modes that its owner can change. Links are removed, never followed.
 *
 * What another process of the same owner still adds meanwhile may be left (-ENOTEMPTY): calling again goes on. */
#pragma once

#include "basic/cleanup.h"

#include <stdint.h>

/* The folder `path` with all that is in it; one that is not there is fine. *ret_entries: how many files and folders are gone, also on error. */
int remove_tree(const char *path, uint64_t *ret_entries) _must_use_;
