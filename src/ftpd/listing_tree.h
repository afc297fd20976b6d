/* A folder and all that is below it, as LIST -R shows them, in the form of ls -lR: "path:", the folder's entries, an empty line, and so on, parents
 * before what they hold, in the order of their lists. Symbolic links are shown, never entered.
 *
 * -E2BIG when a limit is passed, or a path is longer than VIRTUAL_PATH_MAX: a client must not take a part for the whole. */
#pragma once

#include "ftpd/listing.h"

#define TREE_DEPTH_MAX 32         /* folders below the first one, one within another */
#define TREE_NAMES_SIZE (1 << 20) /* bytes: the names of folders that wait for their turn */

/* As listing_folder(). l->home_fd and l->folder say where folders are opened; `shown`: what the client calls the first one; `max`: entries that are
 * shown at most. `enter` is told each folder's
 * virtual path before that is read; negative ends the listing. Folders that can't be opened (any more) are shown without entries. */
int listing_tree(const Listing *l, int folder_fd, const char *shown, size_t max, int (*enter)(void *userdata, const char *folder)) _must_use_;
