/* The line that shows a copy on its way.
 *
 * Numbers and a width in, text out: whether there is a terminal, and where the numbers come from, is the caller's business. */
#include "cli/progress_bar.h"

#include "basic/strings.h"
#include "cli/text.h"

#include <inttypes.h>

#define STATE_WIDTH 12 /* the longest state's name and two spaces */
#define BAR_MIN 8      /* narrower says nothing */

static void put_bar(unsigned percent, size_t cells, Buffer *to) {
    size_t full = cells * percent / 100;

    buffer_putc(to, '[');
    for (size_t i = 0; i < cells; i++)
        buffer_puts(to, i < full ? "█" : "░");
    buffer_puts(to, "]  ");
}

/* Appends as many whole characters as fit. */
static void put_cut(Buffer *to, const char *text, size_t columns) {
    size_t end = 0;
    for (size_t width = 0; text[end]; end++)
        if (((unsigned char) text[end] & 0xc0) != 0x80 && ++width > columns)
            break;
    buffer_append(to, text, end);
}

static void render_message(const char *state, const char *message, size_t columns, Buffer *to) {
    _cleanup_buffer_ Buffer line = {};

    buffer_printf(&line, "%-*s", message ? STATE_WIDTH : 0, state);
    text_put(&line, message);
    if (line.data)
        put_cut(to, line.data, columns);
}

void progress_bar_render(const char *state, const char *message, const Progress *progress, size_t columns, Buffer *to) {
    if (columns > PROGRESS_COLUMNS_MAX)
        columns = PROGRESS_COLUMNS_MAX;
    if (!progress) {
        render_message(state, message, columns, to);
        return;
    }

    char done[TEXT_FIGURE_SIZE], total[TEXT_FIGURE_SIZE], rate[TEXT_FIGURE_SIZE], left[TEXT_FIGURE_SIZE];
    text_bytes(progress->bytes, done);
    text_bytes(progress->total, total);
    text_bytes(progress->rate, rate);
    text_seconds(progress->left, left);
    unsigned percent = progress->percent <= 100 ? progress->percent : 100;

    _cleanup_buffer_ Buffer figures = {};
    buffer_printf(&figures, "%3u %%  %s de %s", percent, done, total);
    size_t room = columns > STATE_WIDTH ? columns - STATE_WIDTH : 0;
    if (progress->rate > 0 && figures.data && text_width(figures.data) + 4 + text_width(rate) <= room)
        buffer_printf(&figures, "  %s/s", rate);
    if (progress->rate > 0 && progress->left != UINT64_MAX && figures.data && text_width(figures.data) + 9 + text_width(left) <= room)
        buffer_printf(&figures, "  faltan %s", left);
    if (!figures.data)
        return;

    _cleanup_buffer_ Buffer line = {};
    buffer_printf(&line, "%-*s", STATE_WIDTH, state);
    size_t used = text_width(figures.data) + 4; /* brackets and two spaces */
    size_t cells = room > used ? room - used : 0;
    if (cells >= BAR_MIN)
        put_bar(percent, cells < PROGRESS_BAR_MAX ? cells : PROGRESS_BAR_MAX, &line);
    buffer_puts(&line, figures.data);
    if (line.data)
        put_cut(to, line.data, columns);
}
