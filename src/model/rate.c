/* A fixed window of calls that opens with the first one. Who is counted, and where windows are kept, is not known here. */
#include "model/rate.h"

#include "basic/strings.h"

#include <errno.h>

int rate_limit_parse(const char *text, RateLimit *ret) {
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {
        { "second", UINT64_C(1000) },
        { "minute", UINT64_C(60000) },
        { "hour", UINT64_C(3600000) },
        { "day", UINT64_C(86400000) },
    };
    const char *slash = strchr(text, '/');
    char number[12];
    uint64_t calls;

    if (!slash || (size_t) (slash - text) >= sizeof(number))
        return -EINVAL;
    memcpy(number, text, (size_t) (slash - text));
    number[slash - text] = '\0';
    if (parse_u64(number, RATE_CALLS_MAX, &calls) < 0 || calls == 0)
        return -EINVAL;
    for (size_t i = 0; i < ELEMENTS(units); i++)
        if (streq(slash + 1, units[i].name)) {
            *ret = (RateLimit) { .calls = (uint32_t) calls, .window_ms = units[i].ms };
            return 0;
        }
    return -EINVAL;
}

bool rate_window_count(RateWindow *w, const RateLimit *limit, uint64_t now_ms, uint32_t *ret_retry_s) {
    /* now before opened: the clock began anew (a reboot), so the window is of another time. */
    bool open = w->opened_ms != 0 && now_ms >= w->opened_ms && now_ms - w->opened_ms < limit->window_ms;

    if (!open)
        *w = (RateWindow) { .opened_ms = now_ms > 0 ? now_ms : 1 };
    if (w->calls < limit->calls) {
        w->calls++;
        return true;
    }
    uint64_t left = limit->window_ms - (now_ms - w->opened_ms);
    *ret_retry_s = (uint32_t) ((left + 999) / 1000);
    return false;
}
