/* Sessions as lines of text: what is read is written the same way again, but for spellings of digits and escapes. */
#include "basic/strings.h"
#include "model/session_line.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *line = strndup((const char *) data, size);
    _cleanup_buffer_ Buffer b = { 0 };
    SessionLine s, back;

    if (session_line_parse(line, &s) < 0)
        return 0;
    session_line_format(&s, &b);
    assert(b.error == 0 && b.data[b.size - 1] == '\n');
    b.data[b.size - 1] = '\0';
    assert(session_line_parse(b.data, &back) == 0);
    assert(back.pid == s.pid && back.since == s.since && back.sent == s.sent && back.size == s.size);
    assert(streq(back.account, s.account) && streq(back.peer, s.peer) && streq(back.folder, s.folder) && streq(back.file, s.file));
    return 0;
}
