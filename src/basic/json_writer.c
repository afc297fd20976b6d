/* JSON text, written in the order of the calls.
 *
 * Quick where it is hot: one table look-up a byte, runs of plain bytes copied whole, integers without printf. It keeps
 * no stack of what is open: the caller closes what it opens. */
#include "basic/json_writer.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <math.h>
#include <string.h>

enum { PLAIN, HEX, MULTIBYTE }; /* anything else is the letter after the backslash */

static const uint8_t escapes[256] = {
    [0x00 ... 0x07] = HEX, ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [0x0b] = HEX,  ['\f'] = 'f',
    ['\r'] = 'r', [0x0e ... 0x1f] = HEX, ['"'] = '"', ['\\'] = '\\', [0x80 ... 0xff] = MULTIBYTE,
};

static void put_text(Buffer *b, const char *text) {
    const char *end = text + strlen(text), *run = text, *p = text;

    buffer_putc(b, '"');
    while (p < end) {
        uint8_t c = (uint8_t) *p, escape = escapes[c];
        if (escape == PLAIN) {
            p++;
            continue;
        }
        uint32_t point;
        int length = escape == MULTIBYTE ? utf8_decode(p, (size_t) (end - p), &point) : 0;
        if (length > 0) {
            p += length;
            continue;
        }

        buffer_append(b, run, (size_t) (p - run));
        if (escape == MULTIBYTE)
            buffer_puts(b, "\xEF\xBF\xBD"); /* U+FFFD: not UTF-8 */
        else if (escape == HEX) {
            char digits[3];
            hex_encode(&c, 1, digits);
            buffer_puts(b, "\\u00");
            buffer_append(b, digits, 2);
        } else
            buffer_append(b, (char[]) { '\\', (char) escape }, 2);
        run = ++p;
    }
    buffer_append(b, run, (size_t) (p - run));
    buffer_putc(b, '"');
}

/* What stands before every value: the comma and the key. */
static void before(JsonWriter *w, const char *key) {
    if (w->comma)
        buffer_putc(w->out, ',');
    if (key) { /* of ours: nothing in it is escaped */
        buffer_putc(w->out, '"');
        buffer_puts(w->out, key);
        buffer_append(w->out, "\":", 2);
    }
    w->comma = true;
}

void json_raw(JsonWriter *w, const char *key, const char *json) {
    before(w, key);
    buffer_puts(w->out, json);
}

static void open_with(JsonWriter *w, const char *key, char bracket) {
    before(w, key);
    buffer_putc(w->out, bracket);
    w->comma = false;
}

static void close_with(JsonWriter *w, char bracket) {
    buffer_putc(w->out, bracket);
    w->comma = true;
}

void json_object_open(JsonWriter *w, const char *key) {
    open_with(w, key, '{');
}

void json_object_close(JsonWriter *w) {
    close_with(w, '}');
}

void json_array_open(JsonWriter *w, const char *key) {
    open_with(w, key, '[');
}

void json_array_close(JsonWriter *w) {
    close_with(w, ']');
}

void json_string(JsonWriter *w, const char *key, const char *value) {
    if (!value) {
        json_null(w, key);
        return;
    }
    before(w, key);
    put_text(w->out, value);
}

/* Digits of value, right-aligned before `end`; at least `width` of them. */
static char *digits_before(char *end, uint64_t value, unsigned width) {
    while (value > 0 || width > 0) {
        *--end = (char) ('0' + value % 10);
        value /= 10;
        width -= width > 0;
    }
    return end;
}

void json_integer(JsonWriter *w, const char *key, int64_t value) {
    char text[24], *end = text + sizeof(text);
    char *p = digits_before(end, value < 0 ? -(uint64_t) value : (uint64_t) value, 1);

    if (value < 0)
        *--p = '-';
    before(w, key);
    buffer_append(w->out, p, (size_t) (end - p));
}

void json_fixed2(JsonWriter *w, const char *key, double value) {
    double hundredths = round(value * 100);
    if (!isfinite(value) || fabs(hundredths) > 9e15) { /* past a double's whole numbers two decimals mean nothing */
        json_null(w, key);
        return;
    }

    char text[24], *end = text + sizeof(text);
    char *p = digits_before(end, (uint64_t) fabs(hundredths), 3);
    if (hundredths < 0)
        *--p = '-';
    before(w, key);
    buffer_append(w->out, p, (size_t) (end - p - 2));
    buffer_putc(w->out, '.');
    buffer_append(w->out, end - 2, 2);
}

void json_bool(JsonWriter *w, const char *key, bool value) {
    json_raw(w, key, value ? "true" : "false");
}

void json_null(JsonWriter *w, const char *key) {
    json_raw(w, key, "null");
}

void json_time(JsonWriter *w, const char *key, int64_t utc) {
    if (utc == 0) {
        json_null(w, key);
        return;
    }
    char text[RFC3339_SIZE];
    rfc3339_format(utc, text);
    json_string(w, key, text);
}
