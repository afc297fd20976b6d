/* Any bytes into the FTP command parser: what comes out must not depend on where the pieces were cut, and holds no line end or NUL. */
#include "ftpd/command.h"

#include "basic/strings.h"

#include <errno.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Seen {
    uint64_t hash; /* FNV-1a of everything that came out */
    size_t commands;
} Seen;

static void mix(Seen *s, const char *text) {
    for (; *text; text++)
        s->hash = (s->hash ^ (unsigned char) *text) * 0x100000001b3u;
    s->hash = (s->hash ^ 0x100u) * 0x100000001b3u;
}

static void take_all(CommandReader *r, Seen *s) {
    Command c;
    int k;

    for (;;) {
        bool aborted = command_reader_holds(r, "ABOR");
        k = command_reader_next(r, &c);
        if (k == 0)
            break;
        s->commands++;
        if (k < 0) {
            if (k != -E2BIG && k != -EBADMSG)
                __builtin_trap();
            mix(s, k == -E2BIG ? "long" : "bad");
            continue;
        }
        if (c.argument && strpbrk(c.argument, "\r\n"))
            __builtin_trap();
        if (strlen(c.verb) > VERB_MAX || (streq(c.verb, "ABOR") && !aborted))
            __builtin_trap();
        mix(s, c.verb);
        mix(s, c.argument ? c.argument : "(none)");
    }
}

static void run(const uint8_t *data, size_t size, size_t piece, Seen *ret) {
    CommandReader r = { 0 };

    *ret = (Seen) { .hash = 0xcbf29ce484222325u };
    for (size_t at = 0; at < size;) {
        size_t n = size - at < piece ? size - at : piece;
        size_t space = command_reader_space(&r);
        if (space == 0) /* take_all() left no whole line, so there must be room */
            __builtin_trap();
        n = n < space ? n : space;
        command_reader_feed(&r, (const char *) data + at, n);
        take_all(&r, ret);
        at += n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t pieces[] = { 1, 3, COMMAND_LINE_MAX };
    Seen first;

    run(data, size, SIZE_MAX, &first);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        Seen other;
        run(data, size, pieces[i], &other);
        if (other.hash != first.hash || other.commands != first.commands)
            __builtin_trap();
    }
    return 0;
}
