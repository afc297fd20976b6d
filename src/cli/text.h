/* Text for people: Spanish figures, columns that line up, and nothing that could drive the terminal.
 *
 * What came over the wire is somebody else's text: control and format characters are shown as '?'. */
#pragma once

#include "basic/buffer.h"

#include <stdint.h>
#include <stdio.h>

void text_put(Buffer *to, const char *text); /* NULL: nothing */
void text_print(FILE *to, const char *text);
/* Columns on a terminal, one a character. */
size_t text_width(const char *text);

/* "999 B", "1,2 kB", "31,5 MB": powers of 1000, one decimal, decimal comma. */
#define TEXT_FIGURE_SIZE 32
void text_bytes(uint64_t bytes, char ret[static TEXT_FIGURE_SIZE]);
/* "2000", "10G": a whole number of bytes, or of the power of 1000 that k, M, G or T stand for. -EINVAL, -ERANGE. */
int text_parse_bytes(const char *text, uint64_t *ret) _must_use_;
/* "0:07", "12:30", "1:02:03", "más de 99 h". */
void text_seconds(uint64_t seconds, char ret[static TEXT_FIGURE_SIZE]);
/* "2026-11-21T11:30:00Z" → "2026-11-21 11:30:00 UTC"; any other text as it is, cut to fit; NULL → "-". */
void text_time(const char *rfc3339, char ret[static TEXT_FIGURE_SIZE]);

/* Rows of cells, printed so that every column is as wide as its widest cell; the last is not padded. */
#define TABLE_COLUMNS_MAX 8
typedef struct TextTable {
    size_t columns, n_cells, allocated;
    char **cells; /* owned, made harmless already */
    int error;
} TextTable;

void text_table_init(TextTable *t, size_t columns);
void text_table_done(TextTable *t);
#define _cleanup_table_ _cleanup_(text_table_done)
/* One cell, left to right, row after row; NULL is "-". -ENOMEM sticks in t->error. */
void text_table_add(TextTable *t, const char *cell);
void text_table_row(TextTable *t, const char *const *cells); /* one for each column */
void text_table_print(const TextTable *t, FILE *to);

/* What an errno means, of either sign; in Spanish where it is one that people meet. */
const char *text_errno(int r);

/* "Etiqueta:      " — the label of one line of a description; "": the line goes on with the one above. */
void text_label(FILE *to, const char *label);
