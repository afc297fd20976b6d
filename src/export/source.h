/* The request's folder: which files and folders are to go out. Names were chosen by strangers; nothing outside the folder is ever read.
 *
 * A link counts as what it leads to, as it does for people who fetch the delivery; one that leads out of the folder, or nowhere, is a file that is missing. */
#pragma once

#include "basic/cleanup.h"

#include <stddef.h>
#include <stdint.h>

#define SOURCE_ENTRIES_MAX 2000000 /* files and folders; more are refused */

typedef struct SourceFile {
    char *path; /* relative to the folder, any bytes but NUL */
    uint64_t size;
    int64_t modified_ns; /* since 1970; together with path and size what tells one file from another */
} SourceFile;

typedef struct Source {
    int folder; /* fd */
    SourceFile *files;
    size_t n_files;
    char **folders; /* relative; what contains others stands before them. Without the top one */
    size_t n_folders;
    uint64_t bytes;
} Source;
#define SOURCE_NONE ((Source) { .folder = -EBADF })

/* Files in the order in which they go out (export/order.h). Negative errno with *ret_bad (heap, or NULL) the path that it is about: -E2BIG too many,
 * -ELOOP a link into itself, -ENOTSUP neither file nor folder, others as the kernel says. */
int source_read(const char *folder, Source *ret, char **ret_bad) _must_use_;
/* For reading; -ESTALE: it is not the file that was read before. */
int source_open(const Source *s, const SourceFile *file) _must_use_;
void source_done(Source *s);
#define _cleanup_source_ _cleanup_(source_done)
