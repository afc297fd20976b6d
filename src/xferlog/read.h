/* Reads a log file from a position on: whole lines only, so much at a time, into a tally. */
#pragma once

#include "model/log_position.h"
#include "xferlog/tally.h"

#define READ_LINE_MAX 65536            /* a longer line is passed over: the longest that can be right has a quarter of that */
#define READ_AT_ONCE (4 * 1024 * 1024) /* bytes of the log in one tally, about */

typedef struct LogRules {
    const char *data_path;
    int64_t not_before; /* lines that are older were counted out of another file; 0: count all */
    int64_t now;        /* no line is newer than the clock */
} LogRules;

typedef struct LogReading {
    uint64_t offset;   /* where the next one goes on */
    int64_t newest;    /* of the downloads among them; 0: there was none */
    uint64_t unknown;  /* lines that are not of the format, or too long */
    bool more;         /* there may be more lines right now */
} LogReading;

/* A file's position goes on at a line that was cut through only inside a line that is too long; the rest of that is passed over. Adds to t. */
int log_read(int fd, uint64_t from, const LogRules *rules, Tally *t, LogReading *ret) _must_use_;
/* Of the bytes before `offset`: model/log_position.h. -ENODATA: the file has fewer. */
int log_digest(int fd, uint64_t offset, char ret[static LOG_DIGEST_SIZE]) _must_use_;
