/* A parser of server-sent events: bytes in, events out, in pieces of any size.
 *
 * Source: WHATWG HTML, "Server-sent events", 9.2.6 (interpreting an event stream). `retry:` is read over.
 * Ownership: sse_done(). Errors: -E2BIG past the limits below, -ENOMEM, or whatever the handler returned; all of them stick. */
#pragma once

#include "basic/buffer.h"

#include <stdbool.h>
#include <stddef.h>

#define SSE_LINE_MAX 65536u
#define SSE_DATA_MAX 262144u

typedef struct SseEvent {
    const char *type; /* "message" when the stream did not say */
    const char *id;   /* the last id seen, "" when none */
    const char *data; /* NUL-terminated; lines joined by \n */
    size_t size;
} SseEvent;

/* Non-zero stops the feeding and becomes its result. */
typedef int (*SseHandler)(const SseEvent *event, void *userdata);

typedef struct SseParser {
    Buffer line, type, id, data;
    bool has_data;     /* an empty `data:` is data too */
    bool after_cr;     /* a \n that follows belongs to that \r */
    bool past_start;   /* the byte order mark may stand at the very start only */
    int error;
} SseParser;

void sse_init(SseParser *p);
void sse_done(SseParser *p);
#define _cleanup_sse_ _cleanup_(sse_done)

int sse_feed(SseParser *p, const char *bytes, size_t size, SseHandler handler, void *userdata) _must_use_;
