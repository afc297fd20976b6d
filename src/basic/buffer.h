/* A growing byte string with a limit.
 *
 * Ownership: buffer_done() frees; buffer_take() hands the bytes on. Errors: -ENOMEM, -E2BIG past `max`; an error
 * sticks (further appends do nothing), so that one check at the end is enough. */
#pragma once

#include "basic/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Buffer {
    char *data; /* always NUL-terminated once something was appended; may be NULL while empty */
    size_t size;
    size_t allocated;
    size_t max; /* 0: no limit */
    int error;  /* 0 or the first negative errno */
} Buffer;

void buffer_done(Buffer *b);
void buffer_clear(Buffer *b); /* keeps the memory */
void buffer_append(Buffer *b, const void *data, size_t size);
void buffer_puts(Buffer *b, const char *text);
void buffer_putc(Buffer *b, char c);
void buffer_printf(Buffer *b, const char *format, ...) _printf_(2, 3);
/* Hands the NUL-terminated bytes on (caller frees); NULL when there was an error. */
char *buffer_take(Buffer *b);
#define _cleanup_buffer_ _cleanup_(buffer_done)
