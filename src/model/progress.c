/* rsync's figures and the STATUS= line, read and written.
 *
 * One small reader over bytes serves all of it. No number is trusted: what overflows or has another form is -EINVAL.
 * Where the bytes come from, and how often, is the worker's business. */
#include "model/progress.h"

#include "basic/strings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

typedef struct Reader {
    const char *p, *end;
} Reader;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static void skip_spaces(Reader *r) {
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r' || *r->p == '\n'))
        r->p++;
}

static bool take_text(Reader *r, const char *text) {
    size_t size = strlen(text);
    if ((size_t) (r->end - r->p) < size || memcmp(r->p, text, size) != 0)
        return false;
    r->p += size;
    return true;
}

/* Digits; with thousands, a comma may stand before three of them. */
static bool take_number(Reader *r, bool thousands, uint64_t *ret) {
    uint64_t value = 0;

    if (r->p >= r->end || !is_digit(*r->p))
        return false;
    for (; r->p < r->end; r->p++) {
        if (thousands && *r->p == ',' && r->end - r->p > 3 && is_digit(r->p[1]) && is_digit(r->p[2]) && is_digit(r->p[3]))
            continue;
        if (!is_digit(*r->p))
            break;
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t) (*r->p - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

void progress_derive(Progress *p) {
    if (p->bytes >= p->total) {
        p->percent = 100;
        p->left = 0;
        return;
    }
    uint64_t left = p->total - p->bytes;
    p->percent = (unsigned) ((unsigned __int128) p->bytes * 100 / p->total);
    p->left = p->rate > 0 ? left / p->rate + (left % p->rate > 0) : UINT64_MAX;
}

/* "146.38kB/s", powers of 1024 as rsync counts them → bytes a second. */
static bool take_rate(Reader *r, uint64_t *ret) {
    static const struct {
        const char *name;
        uint64_t bytes;
    } units[] = {
        { "B/s", 1 },
        { "kB/s", UINT64_C(1) << 10 },
        { "MB/s", UINT64_C(1) << 20 },
        { "GB/s", UINT64_C(1) << 30 },
        { "TB/s", UINT64_C(1) << 40 },
    };
    uint64_t whole, hundredths;

    if (!take_number(r, false, &whole) || !take_text(r, "."))
        return false;
    const char *fraction = r->p;
    if (!take_number(r, false, &hundredths) || r->p - fraction != 2)
        return false;
    for (size_t i = 0; i < ELEMENTS(units); i++)
        if (take_text(r, units[i].name))
            return !__builtin_mul_overflow(whole, units[i].bytes, &whole) &&
                   !__builtin_add_overflow(whole, hundredths * units[i].bytes / 100, ret);
    return false;
}

/* "0:00:08", "123:00:00" or "??:??:??": only its form matters, the time left is derived. */
static bool take_remaining(Reader *r) {
    size_t colons = 0;
    const char *start = r->p;

    for (; r->p < r->end && (is_digit(*r->p) || *r->p == '?' || *r->p == ':'); r->p++)
        colons += *r->p == ':';
    return r->p > start && colons == 2;
}

int progress_parse_rsync(const char *line, size_t size, Progress *ret) {
    Reader r = { .p = line, .end = line + size };
    uint64_t bytes, percent, rate;

    skip_spaces(&r);
    if (!take_number(&r, true, &bytes))
        return -EINVAL;
    skip_spaces(&r);
    if (!take_number(&r, false, &percent) || percent > 100 || !take_text(&r, "%"))
        return -EINVAL;
    skip_spaces(&r);
    if (!take_rate(&r, &rate))
        return -EINVAL;
    skip_spaces(&r);
    if (!take_remaining(&r))
        return -EINVAL;
    ret->bytes = bytes;
    ret->rate = rate;
    return 0;
}

#define TIME_UNKNOWN "time left unknown"

static const char *const labels[] = { [PROGRESS_COPY] = "Copying: ", [PROGRESS_UPLOAD] = "Uploading: " };

int progress_format_status(ProgressKind kind, const Progress *p, char *ret, size_t size) {
    char left[40] = TIME_UNKNOWN;
    char text[160];

    if (p->left != UINT64_MAX)
        snprintf(left, sizeof(left), "%" PRIu64 " s left", p->left);
    int n = snprintf(text, sizeof(text), "%s%u %%, %" PRIu64 " of %" PRIu64 " bytes, %" PRIu64 " B/s, %s", labels[kind], p->percent,
                     p->bytes, p->total, p->rate, left);
    if ((size_t) n >= size)
        return -ENOSPC;
    memcpy(ret, text, (size_t) n + 1);
    return n;
}

int progress_parse_status(ProgressKind kind, const char *text, Progress *ret) {
    Reader r = { .p = text, .end = text + strlen(text) };
    Progress p;
    uint64_t percent;

    if (!take_text(&r, labels[kind]) || !take_number(&r, false, &percent) || percent > 100)
        return -EINVAL;
    p.percent = (unsigned) percent;
    if (!take_text(&r, " %, ") || !take_number(&r, false, &p.bytes) || !take_text(&r, " of ") ||
        !take_number(&r, false, &p.total) || !take_text(&r, " bytes, ") || !take_number(&r, false, &p.rate) ||
        !take_text(&r, " B/s, "))
        return -EINVAL;
    if (take_text(&r, TIME_UNKNOWN))
        p.left = UINT64_MAX;
    else if (!take_number(&r, false, &p.left) || !take_text(&r, " s left"))
        return -EINVAL;
    if (r.p != r.end)
        return -EINVAL;
    *ret = p;
    return 0;
}

/* The rest of the line that begins with `label`; false when there is none. */
static bool find_line(const char *text, const char *label, Reader *ret) {
    while (text) {
        const char *end = strchrnul(text, '\n');
        if (has_prefix(text, label)) {
            *ret = (Reader) { .p = text + strlen(label), .end = end };
            return true;
        }
        text = *end ? end + 1 : NULL;
    }
    return false;
}

/* "Number of files: 5,003 (reg: 5,000, dir: 3)"; a tree without plain files has no "reg:". */
static int read_files(const char *text, uint64_t *ret) {
    Reader r;
    uint64_t all;

    if (!find_line(text, "Number of files: ", &r))
        return find_line(text, "Number of regular files transferred: ", &r) && take_number(&r, true, ret) ? 0 : -EINVAL;
    if (!take_number(&r, true, &all))
        return -EINVAL;
    const char *reg = memmem(r.p, (size_t) (r.end - r.p), "reg: ", 5);
    if (!reg) {
        *ret = 0;
        return 0;
    }
    r.p = reg + 5;
    return take_number(&r, true, ret) ? 0 : -EINVAL;
}

int rsync_stats_parse(const char *text, RsyncStats *ret) {
    RsyncStats s;
    Reader r;

    int error = read_files(text, &s.files);
    if (error < 0)
        return error;
    if (!find_line(text, "Total file size: ", &r) || !take_number(&r, true, &s.bytes))
        return -EINVAL;
    if (!find_line(text, "Total transferred file size: ", &r) || !take_number(&r, true, &s.needed))
        s.needed = s.bytes;
    *ret = s;
    return 0;
}
