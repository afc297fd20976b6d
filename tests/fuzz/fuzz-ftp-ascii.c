/* Any bytes through both directions of TYPE A: where the pieces were cut makes no difference, and lines that went out come back. */
#include "ftpd/ascii.h"

#include "basic/cleanup.h"

#include <stdint.h>
#include <string.h>

#define SIZE_MAX_HERE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t send_in(const char *in, size_t size, size_t piece, char *out) {
    Ascii a = { 0 };
    size_t n = 0;

    for (size_t at = 0; at < size; at += piece)
        n += ascii_to_wire(&a, in + at, size - at < piece ? size - at : piece, out + n);
    return n;
}

static size_t receive_in(const char *in, size_t size, size_t piece, char *out) {
    Ascii a = { 0 };
    size_t n = 0;

    for (size_t at = 0; at < size; at += piece)
        n += ascii_from_wire(&a, in + at, size - at < piece ? size - at : piece, out + n);
    return n + ascii_from_wire_end(&a, out + n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char wire[2 * SIZE_MAX_HERE], other[2 * SIZE_MAX_HERE + 2], back[2 * SIZE_MAX_HERE + 2];
    const char *in = (const char *) data;

    size = size < SIZE_MAX_HERE ? size : SIZE_MAX_HERE;
    size_t n = send_in(in, size, SIZE_MAX_HERE, wire);
    if (send_in(in, size, 1, other) != n || memcmp(wire, other, n) != 0)
        __builtin_trap();
    for (size_t i = 0; i < n; i++)
        if (wire[i] == '\n' && (i == 0 || wire[i - 1] != '\r'))
            __builtin_trap();
    size_t m = receive_in(wire, n, SIZE_MAX_HERE, back);
    if (receive_in(wire, n, 3, other) != m || memcmp(back, other, m) != 0)
        __builtin_trap();
    /* Without a CR in it, text survives the way there and back. */
    if (size > 0 && !memchr(in, '\r', size) && (m != size || memcmp(in, back, m) != 0))
        __builtin_trap();
    return 0;
}
