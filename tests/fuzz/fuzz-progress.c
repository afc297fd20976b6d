/* rsync's progress and statistics, STATUS= lines, and the diagnosis of its complaints. */
#include "basic/strings.h"
#include "model/cause.h"
#include "model/progress.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = strndup((const char *) data, size);
    Progress p = { 0 }, back;
    RsyncStats stats;
    Cause c;
    char status[200], message[64];

    if (progress_parse_rsync((const char *) data, size, &p) == 0) {
        p.total = p.bytes + size; /* wraps around too */
        progress_derive(&p);
        assert(p.percent <= 100);
        assert(progress_format_status(PROGRESS_COPY, &p, status, sizeof(status)) > 0);
        assert(progress_parse_status(PROGRESS_COPY, status, &back) == 0);
        assert(back.bytes == p.bytes && back.total == p.total && back.left == p.left);
    }
    if (progress_parse_status(PROGRESS_COPY, text, &p) == 0)
        assert(p.percent <= 100 && progress_format_status(PROGRESS_COPY, &p, status, sizeof(status)) > 0);
    int r = rsync_stats_parse(text, &stats);
    assert(r == 0 || r == -EINVAL);

    c = cause_from_output(text, size > 0 ? data[0] : 0, 0);
    assert(c < CAUSE_MAX);
    cause_message(c, text, message, sizeof(message));
    assert(utf8_is_valid(message, strlen(message)));
    if (cause_parse(text, &c) == 0)
        assert(streq(cause_name(c), text));
    return 0;
}
