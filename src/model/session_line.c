/* A session as a line of text, written and read back. Whose session it is and what follows from that is not known here. */
#include "model/session_line.h"

#include "basic/strings.h"

#include <errno.h>
#include <inttypes.h>

#define FIELDS 8

static void put_escaped(Buffer *to, const char *text) {
    for (const unsigned char *p = (const unsigned char *) text; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '%')
            buffer_printf(to, "%%%02X", *p);
        else
            buffer_putc(to, (char) *p);
}

void session_line_format(const SessionLine *s, Buffer *to) {
    const char *const texts[] = { s->account, s->peer, s->folder, s->file };

    buffer_printf(to, "%" PRIu32 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, s->pid, s->since, s->sent, s->size);
    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        buffer_putc(to, '\t');
        put_escaped(to, texts[i]);
    }
    buffer_putc(to, '\n');
}

static int take_escaped(const char *text, char *ret, size_t size) {
    size_t n = 0;

    for (; *text; text++) {
        char digits[3];
        unsigned char c = (unsigned char) *text;

        if (c <= ' ' || c >= 0x7f || n + 1 == size)
            return -EINVAL;
        if (c == '%') {
            if (!text[1] || !text[2])
                return -EINVAL;
            memcpy(digits, text + 1, 2);
            digits[2] = '\0';
            if (hex_decode(digits, &c, 1) < 0 || c == '\0')
                return -EINVAL;
            text += 2;
        }
        ret[n++] = (char) c;
    }
    ret[n] = '\0';
    return 0;
}

int session_line_parse(char *line, SessionLine *ret) {
    char *fields[FIELDS], *rest = line;
    uint64_t pid;

    for (size_t i = 0; i < FIELDS; i++) {
        fields[i] = strsep(&rest, "\t");
        if (!fields[i])
            return -EINVAL;
    }
    if (rest || parse_u64(fields[0], INT32_MAX, &pid) < 0 || pid == 0 || parse_u64(fields[1], INT64_MAX, &ret->since) < 0 ||
        parse_u64(fields[2], INT64_MAX, &ret->sent) < 0 || parse_u64(fields[3], INT64_MAX, &ret->size) < 0 ||
        take_escaped(fields[4], ret->account, sizeof(ret->account)) < 0 || take_escaped(fields[5], ret->peer, sizeof(ret->peer)) < 0 ||
        take_escaped(fields[6], ret->folder, sizeof(ret->folder)) < 0 || take_escaped(fields[7], ret->file, sizeof(ret->file)) < 0)
        return -EINVAL;
    ret->pid = (uint32_t) pid;
    return 0;
}
