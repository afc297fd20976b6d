/* How far a copy is, as one line: pure rendering, the terminal's width is a parameter. */
#pragma once

#include "basic/buffer.h"
#include "model/progress.h"

#include <stdbool.h>

#define PROGRESS_COLUMNS_MAX 300
#define PROGRESS_BAR_MAX 40 /* cells of the bar itself */

/* "traslado    [██████░░░░░░]  45 %  123,4 MB de 274,8 MB  31,4 MB/s  faltan 0:12", never wider than `columns`: the time left goes first, then the
 * rate, then the bar. `progress` NULL: the size is not known yet, `state` and `message` only. */
void progress_bar_render(const char *state, const char *message, const Progress *progress, size_t columns, Buffer *to);
