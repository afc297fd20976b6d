/* Draws the progress line where it belongs: terminals get one line, files and pipes a line for every change.
 *
 * Knows stderr and its width; what is shown comes from progress_bar.c. */
#include "cli/live_line.h"

#include "basic/strings.h"
#include "cli/progress_bar.h"

#include <stdio.h>
#include <sys/ioctl.h>

#define COLUMNS_DEFAULT 80

void live_line_init(LiveLine *l, const Args *args) {
    *l = (LiveLine) { .quiet = args->given[OPTION_QUIET], .terminal = isatty(STDERR_FILENO) };
}

static size_t terminal_columns(void) {
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
        return COLUMNS_DEFAULT;
    return size.ws_col - 1u; /* the last column wraps on some terminals */
}

void live_line_show(LiveLine *l, const char *state, const char *message, const Progress *progress) {
    _cleanup_buffer_ Buffer text = {};
    bool changed = !l->started || !streq_null(state, l->state) || (progress && progress->percent != l->percent);

    if (l->quiet || (!l->terminal && !changed))
        return;
    progress_bar_render(state, message, progress, l->terminal ? terminal_columns() : PROGRESS_COLUMNS_MAX, &text);
    if (!text.data)
        return;
    if (l->terminal)
        fprintf(stderr, "\r\033[K%s", text.data);
    else
        fprintf(stderr, "%s\n", text.data);
    fflush(stderr);

    l->drawn = l->terminal;
    l->started = true;
    l->state = state;
    if (progress)
        l->percent = progress->percent;
}

void live_line_clear(LiveLine *l) {
    if (!l->drawn)
        return;
    fputs("\r\033[K", stderr);
    l->drawn = false;
}
