/* The staging folder itself: what an interrupted run left there, and what is there in the end. Never follows a link, never leaves the folder.
 * The folder becomes the process's working folder. */
#pragma once

#include "basic/cleanup.h"

#include <stdint.h>

typedef struct TreeCount {
    uint64_t bytes; /* of plain files */
    uint64_t files;
} TreeCount;

/* Before a copy: rsync that was killed leaves ".NAME.XXXXXX"; as PARTIAL_FOLDER/NAME the next run goes on with it. */
int tree_adopt_leftovers(const char *path) _must_use_;
/* Bytes in the PARTIAL_FOLDERs: rsync goes on with these files in place, so they take no room a second time. */
int tree_partial(const char *path, uint64_t *ret_bytes) _must_use_;
/* After it: removes every PARTIAL_FOLDER with its content and counts the rest. */
int tree_finish(const char *path, TreeCount *ret) _must_use_;
