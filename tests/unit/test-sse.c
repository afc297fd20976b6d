/* Event streams as the HTML standard reads them, in one piece and byte by byte. */
#include "cli/sse.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

/* Events as "type/id/data|…". */
static int note(const SseEvent *e, void *userdata) {
    Buffer *seen = userdata;

    assert_int_equal(e->size, strlen(e->data));
    buffer_printf(seen, "%s/%s/%s|", e->type, e->id, e->data);
    return streq(e->type, "stop") ? -ECANCELED : 0;
}

static int feed(const char *stream, size_t piece, Buffer *seen) {
    _cleanup_sse_ SseParser p;
    int r = 0;

    sse_init(&p);
    for (size_t at = 0, size = strlen(stream); at < size && r == 0; at += piece)
        r = sse_feed(&p, stream + at, size - at < piece ? size - at : piece, note, seen);
    return r;
}

static void streams(void **state) {
    static const struct {
        const char *stream, *events;
    } cases[] = {
        { "", "" },
        { "data: a\n\n", "message//a|" },
        { "data:a\n\n", "message//a|" },
        { "data:  a \n\n", "message// a |" },
        { "data: a\r\n\r\ndata: b\r\rdata: c\n\n", "message//a|message//b|message//c|" },
        { "data: one\ndata: two\n\n", "message//one\ntwo|" },
        { "data\n\n", "message//|" },
        { "data\ndata\n\n", "message//\n|" },
        { "event: estado\nid: 3\ndata: {}\n\ndata: x\n\n", "estado/3/{}|message/3/x|" },
        { "id: 3\ndata: a\n\nid\ndata: b\n\n", "message/3/a|message//b|" },
        { "event: estado\n\ndata: x\n\n", "message//x|" }, /* no data, no event; the type is forgotten */
        { ": a comment\n\n:\ndata: a\nretry: 10\nunknown: b\nDATA: c\n\n", "message//a|" },
        { "data: cut off", "" },
        { "data: cut off\n", "" },
        { "\xef\xbb\xbf" "data: a\n\n", "message//a|" },
        { "data: a\n\n\xef\xbb\xbf" "data: b\n\n", "message//a|" },
        { "event: stop\ndata: a\n\ndata: b\n\n", "stop//a|" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        for (size_t piece = 1; piece <= 64; piece++) {
            _cleanup_buffer_ Buffer seen = {};
            int r = feed(cases[i].stream, piece, &seen);
            assert_int_equal(r, strstr(cases[i].events, "stop") ? -ECANCELED : 0);
            assert_string_equal(seen.data ? seen.data : "", cases[i].events);
        }
}

static void limits(void **state) {
    _cleanup_sse_ SseParser p;
    _cleanup_buffer_ Buffer seen = {};
    char block[4096];
    int r = 0;

    memset(block, 'x', sizeof(block));
    sse_init(&p);
    for (size_t fed = 0; fed <= SSE_LINE_MAX && r == 0; fed += sizeof(block))
        r = sse_feed(&p, block, sizeof(block), note, &seen);
    assert_int_equal(r, -E2BIG);
    assert_int_equal(sse_feed(&p, "\ndata: a\n\n", 10, note, &seen), -E2BIG); /* it sticks */
    assert_int_equal(seen.size, 0);

    _cleanup_sse_ SseParser q;
    r = 0;
    sse_init(&q);
    block[0] = ':', memcpy(block, "data:", 5), block[sizeof(block) - 1] = '\n';
    for (size_t fed = 0; fed <= SSE_DATA_MAX + sizeof(block) && r == 0; fed += sizeof(block))
        r = sse_feed(&q, block, sizeof(block), note, &seen);
    assert_int_equal(r, -E2BIG);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(streams), cmocka_unit_test(limits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
