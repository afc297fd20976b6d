/* Figures, columns and harmless text for a Spanish-reading person at a terminal.
 *
 * Knows nothing of requests or answers: numbers and strings in, text out. */
#include "cli/text.h"

#include "basic/strings.h"
#include "cli/printable.h"

#include <errno.h>
#include <inttypes.h>

#define LABEL_WIDTH 15

void text_put(Buffer *to, const char *text) {
    if (!text)
        return;
    for (size_t left = strlen(text); left > 0;) {
        uint32_t point;
        int length = utf8_decode(text, left, &point);
        if (length > 0 && point_is_printable(point))
            buffer_append(to, text, (size_t) length);
        else
            buffer_putc(to, '?');
        if (length < 0)
            length = 1;
        text += length;
        left -= (size_t) length;
    }
}

void text_print(FILE *to, const char *text) {
    _cleanup_buffer_ Buffer harmless = {};
    text_put(&harmless, text);
    if (harmless.size > 0)
        fwrite(harmless.data, 1, harmless.size, to);
}

size_t text_width(const char *text) {
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char) *text & 0xc0) != 0x80;
    return width;
}

int text_parse_bytes(const char *text, uint64_t *ret) {
    static const char units[] = "kMGT";
    size_t size = strlen(text);
    const char *unit = size > 1 ? strchr(units, text[size - 1]) : NULL;
    char digits[24];
    uint64_t factor = 1, number;

    for (ptrdiff_t i = 0; unit && i <= unit - units; i++)
        factor *= 1000;
    size -= unit != NULL;
    if (size >= sizeof(digits))
        return -ERANGE;
    memcpy(digits, text, size);
    digits[size] = '\0';
    int r = parse_u64(digits, INT64_MAX / factor, &number);
    if (r >= 0)
        *ret = number * factor;
    return r;
}

void text_bytes(uint64_t bytes, char ret[static TEXT_FIGURE_SIZE]) {
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
    size_t unit = 0;
    uint64_t tenths = bytes, below = 0;

    if (bytes < 1000) {
        snprintf(ret, TEXT_FIGURE_SIZE, "%" PRIu64 " B", bytes);
        return;
    }
    for (uint64_t rest = bytes; rest >= 1000 && unit + 1 < ELEMENTS(units); rest /= 1000) {
        below = rest % 1000;
        tenths = rest / 1000 * 10 + below / 100;
        unit++;
    }
    snprintf(ret, TEXT_FIGURE_SIZE, "%" PRIu64 ",%" PRIu64 " %s", tenths / 10, tenths % 10, units[unit]);
}

void text_seconds(uint64_t seconds, char ret[static TEXT_FIGURE_SIZE]) {
    uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;

    if (hours > 99)
        snprintf(ret, TEXT_FIGURE_SIZE, "más de 99 h");
    else if (hours > 0)
        snprintf(ret, TEXT_FIGURE_SIZE, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours, minutes, seconds % 60);
    else
        snprintf(ret, TEXT_FIGURE_SIZE, "%" PRIu64 ":%02" PRIu64, minutes, seconds % 60);
}

void text_time(const char *rfc3339, char ret[static TEXT_FIGURE_SIZE]) {
    size_t size = rfc3339 ? strlen(rfc3339) : 0;

    if (size == 20 && rfc3339[10] == 'T' && rfc3339[19] == 'Z')
        snprintf(ret, TEXT_FIGURE_SIZE, "%.10s %.8s UTC", rfc3339, rfc3339 + 11);
    else
        snprintf(ret, TEXT_FIGURE_SIZE, "%s", size > 0 ? rfc3339 : "-");
}

void text_table_init(TextTable *t, size_t columns) {
    *t = (TextTable) { .columns = columns < TABLE_COLUMNS_MAX ? columns : TABLE_COLUMNS_MAX };
}

void text_table_done(TextTable *t) {
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (TextTable) {};
}

void text_table_add(TextTable *t, const char *cell) {
    if (t->error < 0)
        return;
    if (t->n_cells == t->allocated) {
        size_t grown = t->allocated > 0 ? t->allocated * 2 : 64;
        char **cells = reallocarray(t->cells, grown, sizeof(*cells));
        if (!cells) {
            t->error = -ENOMEM;
            return;
        }
        t->cells = cells;
        t->allocated = grown;
    }

    _cleanup_buffer_ Buffer harmless = {};
    text_put(&harmless, cell && *cell ? cell : "-");
    char *text = buffer_take(&harmless);
    if (!text) {
        t->error = -ENOMEM;
        return;
    }
    t->cells[t->n_cells++] = text;
}

void text_table_row(TextTable *t, const char *const *cells) {
    for (size_t i = 0; i < t->columns; i++)
        text_table_add(t, cells[i]);
}

void text_table_print(const TextTable *t, FILE *to) {
    size_t widths[TABLE_COLUMNS_MAX] = {};

    for (size_t i = 0; i < t->n_cells; i++) {
        size_t width = text_width(t->cells[i]);
        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
    for (size_t i = 0; i < t->n_cells; i++) {
        fputs(t->cells[i], to);
        if (i % t->columns + 1 == t->columns || i + 1 == t->n_cells)
            fputc('\n', to);
        else
            fprintf(to, "%*s", (int) (widths[i % t->columns] - text_width(t->cells[i]) + 2), "");
    }
}

const char *text_errno(int r) {
    static const struct {
        int number;
        const char *text;
    } words[] = {
        { ENOENT, "no existe" },
        { EACCES, "permiso denegado" },
        { EPERM, "operación no permitida" },
        { EISDIR, "es una carpeta" },
        { ENOTDIR, "no es una carpeta" },
        { ENOSPC, "no queda espacio en el disco" },
        { EROFS, "el disco es de solo lectura" },
        { ENOMEM, "sin memoria" },
        { ECONNREFUSED, "conexión rechazada" },
        { ETIMEDOUT, "no contesta" },
        { EHOSTUNREACH, "no hay camino hasta esa máquina" },
        { ENETUNREACH, "no hay camino hasta esa red" },
    };

    for (size_t i = 0; i < ELEMENTS(words); i++)
        if (words[i].number == abs(r))
            return words[i].text;
    return strerror(abs(r));
}

void text_label(FILE *to, const char *label) {
    size_t width = text_width(label) + 1;
    fprintf(to, "%s%c%*s", label, *label ? ':' : ' ', width < LABEL_WIDTH ? (int) (LABEL_WIDTH - width) : 1, "");
}
