/* TYPE A, in pieces of every size. */
#include "ftpd/ascii.h"

#include "basic/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

typedef struct Case {
    const char *in, *out;
} Case;

static const Case to_wire[] = {
    { "", "" },
    { "a", "a" },
    { "\n", "\r\n" },
    { "a\nb\n\nc", "a\r\nb\r\n\r\nc" },
    { "a\r\nb", "a\r\nb" },
    { "a\rb\r", "a\rb\r" },
    { "\r\r\n\n", "\r\r\n\r\n" },
}, from_wire[] = {
    { "", "" },
    { "a", "a" },
    { "\r\n", "\n" },
    { "a\r\nb\r\n\r\nc", "a\nb\n\nc" },
    { "a\nb", "a\nb" },
    { "a\rb\r", "a\rb\r" },
    { "\r\r\n", "\r\n" },
    { "\r\r", "\r\r" },
};

static void sent_lines_end_with_crlf(void **state) {
    for (size_t piece = 1; piece < 8; piece++)
        for (size_t i = 0; i < ELEMENTS(to_wire); i++) {
            const char *in = to_wire[i].in;
            size_t size = strlen(in), n = 0;
            char out[64];
            Ascii a = { 0 };

            for (size_t at = 0; at < size; at += piece)
                n += ascii_to_wire(&a, in + at, size - at < piece ? size - at : piece, out + n);
            out[n] = '\0';
            assert_string_equal(out, to_wire[i].out);
        }
}

/* In place, one byte further back: as uploads do it. */
static void received_lines_end_with_lf(void **state) {
    for (size_t piece = 1; piece < 8; piece++)
        for (size_t i = 0; i < ELEMENTS(from_wire); i++) {
            const char *in = from_wire[i].in;
            size_t size = strlen(in), n = 0;
            char out[64], buffer[9];
            Ascii a = { 0 };

            for (size_t at = 0; at < size; at += piece) {
                size_t m = size - at < piece ? size - at : piece;
                memcpy(buffer + 1, in + at, m);
                m = ascii_from_wire(&a, buffer + 1, m, buffer);
                memcpy(out + n, buffer, m);
                n += m;
            }
            n += ascii_from_wire_end(&a, out + n);
            out[n] = '\0';
            assert_string_equal(out, from_wire[i].out);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sent_lines_end_with_crlf),
        cmocka_unit_test(received_lines_end_with_lf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
