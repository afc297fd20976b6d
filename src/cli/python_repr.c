/* JSON values written as Python literals.
 *
 * Knows the shapes of values, nothing of what an answer of the service means. */
#include "cli/python_repr.h"

#include "basic/strings.h"
#include "cli/printable.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void put_point(const char *bytes, int length, uint32_t point, char quote, FILE *to) {
    if (point == (uint32_t) quote || point == '\\')
        fprintf(to, "\\%c", (int) point);
    else if (point == '\n')
        fputs("\\n", to);
    else if (point == '\r')
        fputs("\\r", to);
    else if (point == '\t')
        fputs("\\t", to);
    else if (point_is_printable(point))
        fwrite(bytes, 1, (size_t) length, to);
    else if (point <= 0xff)
        fprintf(to, "\\x%02" PRIx32, point);
    else if (point <= 0xffff)
        fprintf(to, "\\u%04" PRIx32, point);
    else
        fprintf(to, "\\U%08" PRIx32, point);
}

static void put_text(const char *text, size_t size, FILE *to) {
    /* Single quotes, unless only they are inside. */
    char quote = memchr(text, '\'', size) && !memchr(text, '"', size) ? '"' : '\'';

    fputc(quote, to);
    while (size > 0) {
        uint32_t point;
        int length = utf8_decode(text, size, &point);
        if (length < 0) /* jansson holds valid UTF-8 only; a stray byte is shown, not passed on */
            length = 1, point = 0xfffd;
        put_point(text, length, point, quote, to);
        text += length;
        size -= (size_t) length;
    }
    fputc(quote, to);
}

/* The fewest digits that give the same number back, laid out as Python does: exponents below -4 and from 16 up. */
static void put_real(double value, FILE *to) {
    char digits[40];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*e", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }

    char *e = strchr(digits, 'e');
    long exponent = e ? strtol(e + 1, NULL, 10) : 0;
    if (!e) { /* not finite: JSON can't say it */
        fputs(isnan(value) ? "nan" : value < 0 ? "-inf" : "inf", to);
    } else if (exponent < -4 || exponent >= 16) {
        fputs(digits, to);
    } else {
        const char *dot = strchr(digits, '.');
        long decimals = (dot ? e - dot - 1 : 0) - exponent;
        fprintf(to, "%.*f", (int) (decimals > 0 ? decimals : 1), value);
    }
}

static void put_object(const json_t *object, FILE *to) {
    const char *separator = "";

    fputc('{', to);
    for (void *i = json_object_iter((json_t *) object); i; i = json_object_iter_next((json_t *) object, i)) {
        fputs(separator, to);
        put_text(json_object_iter_key(i), strlen(json_object_iter_key(i)), to);
        fputs(": ", to);
        python_repr(json_object_iter_value(i), to);
        separator = ", ";
    }
    fputc('}', to);
}

static void put_array(const json_t *array, FILE *to) {
    fputc('[', to);
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            fputs(", ", to);
        python_repr(json_array_get(array, i), to);
    }
    fputc(']', to);
}

void python_repr(const json_t *value, FILE *to) {
    if (!value) {
        fputs("None", to);
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT: put_object(value, to); break;
    case JSON_ARRAY: put_array(value, to); break;
    case JSON_STRING: put_text(json_string_value(value), json_string_length(value), to); break;
    case JSON_INTEGER: fprintf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); break;
    case JSON_REAL: put_real(json_real_value(value), to); break;
    case JSON_TRUE: fputs("True", to); break;
    case JSON_FALSE: fputs("False", to); break;
    case JSON_NULL: fputs("None", to); break;
    }
}
