/* The format's lines. It knows no metric by name. */
#include "api/exposition.h"

#include <inttypes.h>

void exposition_family(Buffer *to, const char *name, const char *type, const char *help) {
    buffer_printf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_label_value(Buffer *to, const char *value) {
    for (; *value; value++)
        if (*value == '\n')
            buffer_puts(to, "\\n");
        else {
            if (*value == '"' || *value == '\\')
                buffer_putc(to, '\\');
            buffer_putc(to, *value);
        }
}

static void open_sample(Buffer *to, const char *name, const char *suffix, const ExpositionLabel *labels) {
    char before = '{';

    buffer_puts(to, name);
    buffer_puts(to, suffix);
    for (; labels && labels->name; labels++) {
        buffer_putc(to, before);
        buffer_puts(to, labels->name);
        buffer_puts(to, "=\"");
        put_label_value(to, labels->value);
        buffer_putc(to, '"');
        before = ',';
    }
    if (before == ',')
        buffer_putc(to, '}');
    buffer_putc(to, ' ');
}

void exposition_integer(Buffer *to, const char *name, const char *suffix, const ExpositionLabel *labels, uint64_t value) {
    open_sample(to, name, suffix, labels);
    buffer_printf(to, "%" PRIu64 "\n", value);
}

void exposition_seconds(Buffer *to, const char *name, const char *suffix, const ExpositionLabel *labels, uint64_t microseconds) {
    open_sample(to, name, suffix, labels);
    buffer_printf(to, "%" PRIu64 ".%06" PRIu64 "\n", microseconds / 1000000, microseconds % 1000000);
}
