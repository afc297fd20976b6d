/* From bytes of a file to lines. What a line means is line.c's business, which file it is files.c's. */
#include "xferlog/read.h"

#include "basic/strings.h"
#include "crypto/digest.h"

#include <errno.h>

typedef struct Reader {
    const LogRules *rules;
    Tally *tally;
    LogReading *reading;
    bool skipping; /* inside a line that is too long, or was begun before `from` */
} Reader;

/* -E2BIG: the tally is full, the line has to come again. */
static int take_line(Reader *d, const char *line, size_t size) {
    LogLine l;

    if (d->skipping) {
        d->skipping = false;
        return 0;
    }
    int r = line_parse(line, size, d->rules->data_path, &l);
    if (r == -EBADMSG)
        d->reading->unknown++;
    if (r < 0)
        return 0;
    if (l.when > d->rules->now)
        l.when = d->rules->now;
    if (l.when >= d->rules->not_before) {
        r = tally_add(d->tally, &l);
        if (r < 0)
            return r;
    }
    if (l.when > d->reading->newest)
        d->reading->newest = l.when;
    return 0;
}

/* How many of the bytes were whole lines; *ret_full: it stopped before the end of them. */
static size_t take_lines(Reader *d, const char *data, size_t size, bool *ret_full) {
    const char *at = data, *end = data + size, *newline;

    while ((newline = memchr(at, '\n', (size_t) (end - at)))) {
        if (take_line(d, at, (size_t) (newline - at)) < 0) {
            *ret_full = true;
            break;
        }
        at = newline + 1;
    }
    return (size_t) (at - data);
}

static int begins_inside_line(int fd, uint64_t from, bool *ret) {
    char before = '\n';

    ssize_t n = from > 0 ? read_at(fd, &before, 1, from - 1) : 1;
    if (n < 0)
        return (int) n;
    *ret = n == 0 || before != '\n';
    return 0;
}

int log_read(int fd, uint64_t from, const LogRules *rules, Tally *t, LogReading *ret) {
    _cleanup_free_ char *data = malloc(READ_LINE_MAX);
    LogReading reading = { .offset = from };
    Reader d = { .rules = rules, .tally = t, .reading = &reading };
    size_t have = 0;
    bool full = false;

    if (!data)
        return -ENOMEM;
    int r = begins_inside_line(fd, from, &d.skipping);
    if (r < 0)
        return r;
    while (!full && reading.offset - from < READ_AT_ONCE) {
        ssize_t n = read_at(fd, data + have, READ_LINE_MAX - have, reading.offset + have);
        if (n < 0)
            return (int) n;
        if (n == 0)
            break;
        have += (size_t) n;
        size_t used = take_lines(&d, data, have, &full);
        if (used == 0 && have == READ_LINE_MAX && !full) {
            reading.unknown += !d.skipping;
            d.skipping = true;
            used = have;
        }
        have -= used;
        memmove(data, data + used, have);
        reading.offset += used;
    }
    reading.more = full || reading.offset - from >= READ_AT_ONCE;
    *ret = reading;
    return 0;
}

int log_digest(int fd, uint64_t offset, char ret[static LOG_DIGEST_SIZE]) {
    uint64_t at = offset > LOG_DIGEST_BYTES ? offset - LOG_DIGEST_BYTES : 0;
    char data[LOG_DIGEST_BYTES];
    uint8_t digest[SHA256_SIZE];
    Sha256 h;

    sha256_begin(&h);
    while (at < offset) {
        ssize_t n = read_at(fd, data, (size_t) (offset - at), at);
        if (n <= 0)
            return n < 0 ? (int) n : -ENODATA;
        sha256_add(&h, data, (size_t) n);
        at += (uint64_t) n;
    }
    sha256_end(&h, digest);
    hex_encode(digest, sizeof(digest), ret);
    return 0;
}
