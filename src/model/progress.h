/* rsync's figures in, STATUS= text out and back in. Pure parsers; docs/INTERNALS.md "Progress". */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Progress {
    uint64_t bytes;   /* done */
    uint64_t total;
    unsigned percent; /* 0 to 100 */
    uint64_t rate;    /* bytes a second */
    uint64_t left;    /* seconds; UINT64_MAX unknown */
} Progress;

/* Derives percent and left from bytes, total, rate. */
void progress_derive(Progress *p);
/* One line of `rsync --info=progress2 --no-human-readable`-style output ("  1,238,099  45%  146.38kB/s    0:00:08 …", also with plain digits).
 * -EINVAL when the line is something else. Fills bytes and rate only. */
int progress_parse_rsync(const char *line, size_t size, Progress *ret) _must_use_;

/* What a unit is at: "Copying: 45 %, …", "Uploading: 45 %, …" (docs/INTERNALS.md). */
typedef enum ProgressKind { PROGRESS_COPY, PROGRESS_UPLOAD } ProgressKind;
/* Returns the length, -ENOSPC. */
int progress_format_status(ProgressKind kind, const Progress *p, char *ret, size_t size);
/* The same text back; -EINVAL when it is another text. */
int progress_parse_status(ProgressKind kind, const char *text, Progress *ret) _must_use_;

typedef struct RsyncStats {
    uint64_t files; /* "Number of regular files transferred"/"Number of files … reg:" */
    uint64_t bytes; /* "Total file size" */
    uint64_t needed; /* "Total transferred file size": what this run copies, or in a dry run would copy; `bytes` when the line is missing */
} RsyncStats;
/* The text of `rsync --dry-run --stats` (C locale, with or without thousands separators). -EINVAL when a figure is missing. */
int rsync_stats_parse(const char *text, RsyncStats *ret) _must_use_;
