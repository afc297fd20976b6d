/* Any bytes as the head of a request: the verdict must not depend on where the pieces were cut, and nothing grows past its limit unrefused. */
#include "api/http_head.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static HttpHeadState look(const uint8_t *data, size_t size, size_t piece) {
    HttpHead head = { 0 };
    HttpHeadState state = HTTP_HEAD_PART;

    for (size_t at = 0; at < size && state == HTTP_HEAD_PART;) {
        at += size - at < piece ? size - at : piece;
        state = http_head_look(&head, (const char *) data, at);
        if (head.seen > at || head.lines > HTTP_HEADERS_MAX + 2 || (state == HTTP_HEAD_PART && at > HTTP_HEAD_MAX))
            __builtin_trap();
    }
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    HttpHeadState whole = look(data, size, size);

    for (size_t piece = 1; piece <= 7 && size < 4096; piece += 3) /* past that, which of two limits comes first may depend on it */
        if (look(data, size, piece) != whole)
            __builtin_trap();
    return 0;
}
