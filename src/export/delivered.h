/* Which files one export has brought to its destination: written down after each rename, so that a run after a kill or a reboot does not bring them again, to a
 * partner who may have taken them in already. One file on disk for each export, while it lasts. */
#pragma once

#include "export/source.h"

#include <stdbool.h>

#define FILE_MARK_SIZE 16

/* What tells a file of one upload from others, those of the same request to the same folder too: SHA-256 of request, life, number, path, size and time, cut. */
typedef struct FileMark {
    uint8_t bytes[FILE_MARK_SIZE];
} FileMark;
void file_mark(const char *id, uint64_t life, uint64_t number, const SourceFile *file, FileMark *ret);

typedef struct Delivered {
    int fd;
    FileMark *marks; /* of earlier runs, sorted */
    size_t n;
} Delivered;
#define DELIVERED_NONE ((Delivered) { .fd = -EBADF })

/* Opens or makes it. */
int delivered_open(const char *path, Delivered *ret) _must_use_;
bool delivered_has(const Delivered *d, const FileMark *m);
/* From any thread; a line that is lost costs that file another upload. */
int delivered_add(const Delivered *d, const FileMark *m) _must_use_;
void delivered_close(Delivered *d);
#define _cleanup_delivered_ _cleanup_(delivered_close)
