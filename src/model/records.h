/* Records "key=value", each ended by a NUL: what tempoftpd and tempoftp-export hand to each other through pipes and memory files. Pure. */
#pragma once

#include "basic/cleanup.h"

#include <stddef.h>

/* Calls for each record, key and value NUL-terminated in place. Stops and returns what the callback returns when that is not 0. -EBADMSG: a record without
 * an end, without '=', or with an empty key. */
typedef int (*RecordWalk)(const char *key, const char *value, void *userdata);
int records_walk(char *bytes, size_t size, RecordWalk walk, void *userdata) _must_use_;

/* Writes into memory of a fixed size, so that no copy of a secret is left behind by growing. Errors stick: -E2BIG. */
typedef struct RecordWriter {
    char *to;
    size_t size, used;
    int error;
} RecordWriter;
void record_add(RecordWriter *w, const char *key, const char *value); /* value NULL: nothing */
