/* Names as clients give them, and the only way they are opened. RFC 959 pathnames; RFC 2640: bytes, '/' separates.
 *
 * A virtual path is absolute within the account's home, normalized ("/", "/id/sub"), without a trailing slash. ".." is taken away
 * by text and never leaves "/", as under chroot. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

#define VIRTUAL_PATH_MAX 4096 /* with NUL */

/* argument NULL or empty: the folder itself. -ENAMETOOLONG. */
int path_resolve(const char *folder, const char *argument, char ret[static VIRTUAL_PATH_MAX]) _must_use_;
/* Opens a virtual path below home_fd: symbolic links are followed while they stay inside, magic links never. Returns an fd or negative
 * errno (-EXDEV: it would have left the home; -EAGAIN: another program has a lease of the file). */
int path_open(int home_fd, const char *path, int flags) _must_use_;
/* The folder that a virtual path lies in, O_PATH, and its name there: for calls that change the folder. -EBUSY: "/" lies in none. */
int path_open_parent(int home_fd, const char *path, const char **ret_name) _must_use_;
/* Is path the folder /id or inside it? */
bool path_is_within(const char *path, const char *id);
/* "/id/sub/file" → "id"; "" for "/". Cut to size - 1 bytes. */
void path_first_component(const char *path, char *ret, size_t size);
/* The quotes of RFC 959 appendix II: doubles every '"'. ret: 2 * strlen + 1 bytes. */
void path_quote(const char *path, char *ret);

/* '*', '?', sets like "[a-z]" and "[!0-9]", and literal bytes; time goes with pattern × name. */
#define GLOB_MAX 255 /* longer patterns are none: a client must not make one listing last for minutes */
bool glob_match(const char *pattern, const char *name);
bool has_glob(const char *text);
