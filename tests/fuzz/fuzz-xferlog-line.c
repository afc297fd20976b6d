/* Any bytes as a line of the transfer log: what comes out is an account and an id that could be ours, with numbers in their bounds; and a line that says the
 * same in other words, each byte of the path as %XX, gives the same. */
#include "xferlog/line.h"

#include "basic/buffer.h"
#include "basic/strings.h"
#include "model/account.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *word(const char *line, const char *end, unsigned n) {
    while (n-- > 0)
        line = (const char *) memchr(line, ' ', (size_t) (end - line)) + 1;
    return line;
}

static void escaped_is_the_same(const char *line, size_t size, const LogLine *l) {
    _cleanup_buffer_ Buffer b = { 0 };
    const char *end = line + size, *path = word(line, end, 4), *rest = memchr(path, ' ', (size_t) (end - path));
    LogLine again = { 0 };

    buffer_append(&b, line, (size_t) (path - line));
    for (const char *c = path; c < rest; c++) {
        bool escaped = *c == '%' || (c - path >= 1 && c[-1] == '%') || (c - path >= 2 && c[-2] == '%');
        buffer_printf(&b, *c == '/' || escaped ? "%c" : "%%%02X", (unsigned char) *c);
    }
    buffer_append(&b, rest, (size_t) (end - rest));
    if (b.error < 0)
        return;
    if (line_parse(b.data, b.size, "/data", &again) != 0 || !streq(again.id, l->id) || !streq(again.account, l->account) || again.bytes != l->bytes ||
        again.when != l->when)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    LogLine l = { .when = -1 };

    int r = line_parse((const char *) data, size, "/data", &l);
    if (r < 0) {
        if ((r != -ENOENT && r != -EBADMSG) || l.when != -1)
            __builtin_trap();
        return 0;
    }
    if (!account_name_is_valid(l.account) || !id_is_valid(l.id) || l.bytes > LINE_BYTES_MAX || l.when < 0 || l.address[0] == '\0')
        __builtin_trap();
    escaped_is_the_same((const char *) data, size, &l);
    return 0;
}
