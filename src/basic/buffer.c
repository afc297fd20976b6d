/* A growing byte string: doubling growth, one sticky error.
 *
 * It knows nothing of what the bytes mean; JSON, SQL and FTP replies are written into it by others. */
#include "basic/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIRST_SIZE 1024 /* most answers of the API fit without growing */

void buffer_done(Buffer *b) {
    free(b->data);
    b->data = NULL;
    b->size = b->allocated = 0;
}

void buffer_clear(Buffer *b) {
    b->size = 0;
    b->error = 0;
    if (b->data)
        b->data[0] = '\0';
}

/* Room for `more` bytes and the NUL; false (with the error kept) when there is none. */
static bool reserve(Buffer *b, size_t more) {
    if (b->error < 0)
        return false;
    if (more > SIZE_MAX / 2 - b->size || (b->max > 0 && b->size + more > b->max)) {
        b->error = -E2BIG;
        return false;
    }

    size_t need = b->size + more + 1;
    if (need <= b->allocated)
        return true;

    size_t grown = b->allocated > 0 ? b->allocated : FIRST_SIZE;
    while (grown < need)
        grown *= 2;
    char *data = realloc(b->data, grown);
    if (!data) {
        b->error = -ENOMEM;
        return false;
    }
    b->data = data;
    b->allocated = grown;
    return true;
}

void buffer_append(Buffer *b, const void *data, size_t size) {
    if (!reserve(b, size))
        return;
    if (size > 0)
        memcpy(b->data + b->size, data, size);
    b->size += size;
    b->data[b->size] = '\0';
}

void buffer_puts(Buffer *b, const char *text) {
    buffer_append(b, text, strlen(text));
}

void buffer_putc(Buffer *b, char c) {
    if (!reserve(b, 1))
        return;
    b->data[b->size++] = c;
    b->data[b->size] = '\0';
}

void buffer_printf(Buffer *b, const char *format, ...) {
    va_list args;

    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        if (b->error == 0)
            b->error = -EINVAL;
        return;
    }
    if (!reserve(b, (size_t) length))
        return;

    va_start(args, format);
    vsnprintf(b->data + b->size, (size_t) length + 1, format, args);
    va_end(args);
    b->size += (size_t) length;
}

char *buffer_take(Buffer *b) {
    if (!reserve(b, 0)) /* also gives an empty buffer its "" */
        return NULL;

    b->data[b->size] = '\0';
    char *data = TAKE_PTR(b->data);
    b->size = b->allocated = 0;
    return data;
}
