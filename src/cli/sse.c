/* Server-sent events, parsed line by line as the HTML standard lays down.
 *
 * Bytes in, events out: knows nothing of HTTP, of what the events mean, or of where the bytes come from. */
#include "cli/sse.h"

#include "basic/strings.h"

#include <errno.h>
#include <string.h>

void sse_init(SseParser *p) {
    *p = (SseParser) {
        .line = { .max = SSE_LINE_MAX },
        .type = { .max = SSE_LINE_MAX },
        .id = { .max = SSE_LINE_MAX },
        .data = { .max = SSE_DATA_MAX },
    };
}

void sse_done(SseParser *p) {
    buffer_done(&p->line);
    buffer_done(&p->type);
    buffer_done(&p->id);
    buffer_done(&p->data);
}

static const char *text_or(const Buffer *b, const char *otherwise) {
    return b->size > 0 ? b->data : otherwise;
}

static void set_text(Buffer *b, const char *value, size_t size) {
    buffer_clear(b);
    buffer_append(b, value, size);
}

static int dispatch(SseParser *p, SseHandler handler, void *userdata) {
    int r = 0;
    if (p->has_data)
        r = handler(&(SseEvent) { .type = text_or(&p->type, "message"),
                                  .id = text_or(&p->id, ""),
                                  .data = text_or(&p->data, ""),
                                  .size = p->data.size },
                    userdata);
    buffer_clear(&p->type);
    buffer_clear(&p->data);
    p->has_data = false;
    return r;
}

static void take_field(SseParser *p, const char *name, size_t name_size, const char *value, size_t size) {
    if (name_size == 4 && memcmp(name, "data", 4) == 0) {
        if (p->has_data)
            buffer_putc(&p->data, '\n');
        buffer_append(&p->data, value, size);
        p->has_data = true;
    } else if (name_size == 5 && memcmp(name, "event", 5) == 0) {
        if (!memchr(value, '\0', size)) /* types are C strings here; no type of ours has one */
            set_text(&p->type, value, size);
    } else if (name_size == 2 && memcmp(name, "id", 2) == 0) {
        if (!memchr(value, '\0', size))
            set_text(&p->id, value, size);
    }
}

static int take_line(SseParser *p, SseHandler handler, void *userdata) {
    size_t size = p->line.size;
    if (size == 0)
        return dispatch(p, handler, userdata);

    const char *line = p->line.data, *colon = memchr(line, ':', size);
    if (colon != line) { /* else a comment */
        size_t name_size = colon ? (size_t) (colon - line) : size;
        const char *value = colon ? colon + 1 : line + size;
        size_t value_size = (size_t) (line + size - value);
        if (value_size > 0 && *value == ' ')
            value++, value_size--;
        take_field(p, line, name_size, value, value_size);
    }
    buffer_clear(&p->line);
    return 0;
}

static int first_error(const SseParser *p) {
    if (p->line.error)
        return p->line.error;
    if (p->type.error)
        return p->type.error;
    if (p->id.error)
        return p->id.error;
    return p->data.error;
}

static void drop_byte_order_mark(SseParser *p) {
    if (!p->past_start && p->line.size >= 3 && memcmp(p->line.data, "\xef\xbb\xbf", 3) == 0) {
        size_t rest = p->line.size - 3;
        memmove(p->line.data, p->line.data + 3, rest + 1);
        p->line.size = rest;
    }
    p->past_start = true;
}

int sse_feed(SseParser *p, const char *bytes, size_t size, SseHandler handler, void *userdata) {
    const char *end = bytes + size;

    while (p->error == 0 && bytes < end) {
        if (p->after_cr && *bytes == '\n') {
            p->after_cr = false;
            bytes++;
            continue;
        }
        p->after_cr = false;

        const char *stop = bytes;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        buffer_append(&p->line, bytes, (size_t) (stop - bytes));
        p->error = first_error(p);
        if (stop == end || p->error != 0)
            break;

        p->after_cr = *stop == '\r';
        bytes = stop + 1;
        drop_byte_order_mark(p);
        p->error = take_line(p, handler, userdata);
        if (p->error == 0)
            p->error = first_error(p);
    }
    return p->error;
}
