/* TYPE A: text with LF on disk, CRLF on the wire. RFC 959 section 3.1.1.1. Pure, in pieces of any size.
 *
 * A CR before an LF is part of that line's end already, wherever it comes from: text that has CRLF on disk is sent as it is, not with
 * two CRs. Every other byte passes unchanged. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Between two pieces of one file; starts as false. */
typedef struct Ascii {
    bool cr; /* the last byte was a CR (that ascii_from_wire() has not given out yet) */
} Ascii;

/* out: 2 * size bytes. Returns how many there are. */
size_t ascii_to_wire(Ascii *a, const char *in, size_t size, char *out);
/* out: size + 1 bytes; may begin one byte before in. */
size_t ascii_from_wire(Ascii *a, const char *in, size_t size, char *out);
/* The CR that ended the file, if one did. out: 1 byte. */
size_t ascii_from_wire_end(Ascii *a, char *out);
