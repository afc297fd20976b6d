/* The two directions of TYPE A. It knows neither files nor sockets. */
#include "ftpd/ascii.h"

size_t ascii_to_wire(Ascii *a, const char *in, size_t size, char *out) {
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        if (in[i] == '\n' && !a->cr)
            out[n++] = '\r';
        a->cr = in[i] == '\r';
        out[n++] = in[i];
    }
    return n;
}

size_t ascii_from_wire(Ascii *a, const char *in, size_t size, char *out) {
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        char c = in[i]; /* out may overlap */
        if (a->cr && c != '\n')
            out[n++] = '\r';
        a->cr = c == '\r';
        if (!a->cr)
            out[n++] = c;
    }
    return n;
}

size_t ascii_from_wire_end(Ascii *a, char *out) {
    if (!a->cr)
        return 0;
    a->cr = false;
    *out = '\r';
    return 1;
}
