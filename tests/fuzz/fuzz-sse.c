/* Any bytes into the parser of event streams: what comes out must not depend on where the pieces were cut. */
#include "cli/sse.h"

#include "basic/strings.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Seen {
    uint64_t hash; /* FNV-1a of everything reported */
    size_t events;
} Seen;

static void mix(Seen *s, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        s->hash = (s->hash ^ (unsigned char) text[i]) * 0x100000001b3u;
    s->hash = (s->hash ^ 0x100u) * 0x100000001b3u;
}

static int on_event(const SseEvent *e, void *userdata) {
    Seen *s = userdata;

    if (e->data[e->size] != '\0' || e->size > SSE_DATA_MAX || *e->type == '\0')
        __builtin_trap();
    mix(s, e->type, strlen(e->type));
    mix(s, e->id, strlen(e->id));
    mix(s, e->data, e->size);
    s->events++;
    return 0;
}

static int run(const uint8_t *data, size_t size, size_t piece, Seen *ret) {
    _cleanup_sse_ SseParser p;
    int r = 0;

    sse_init(&p);
    *ret = (Seen) { .hash = 0xcbf29ce484222325u };
    for (size_t at = 0; at < size && r == 0; at += piece)
        r = sse_feed(&p, (const char *) data + at, size - at < piece ? size - at : piece, on_event, ret);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Seen whole, cut;

    if (size == 0)
        return 0;
    int r = run(data, size, size, &whole);
    for (size_t piece = 1; piece <= 7; piece += 3)
        if (run(data, size, piece, &cut) != r || cut.hash != whole.hash || cut.events != whole.events)
            __builtin_trap();
    return 0;
}
