/* Positions in log files: comparing, moving, writing down. No file is looked at, nothing is kept. */
#include "model/log_position.h"

#include "basic/strings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define NUMBER_MAX INT64_MAX /* what a database can hold */

static bool digest_is_valid(const char *text) {
    return strlen(text) == LOG_DIGEST_SIZE - 1 && strspn(text, "0123456789abcdef") == LOG_DIGEST_SIZE - 1;
}

bool log_position_is_valid(const LogPosition *p) {
    return p->inode > 0 && p->device <= NUMBER_MAX && p->inode <= NUMBER_MAX && p->offset <= NUMBER_MAX && p->newest <= NUMBER_MAX &&
           digest_is_valid(p->digest);
}

bool log_position_same_file(const LogPosition *a, const LogPosition *b) {
    return a->device == b->device && a->inode == b->inode;
}

bool log_position_equals(const LogPosition *a, const LogPosition *b) {
    return log_position_same_file(a, b) && a->offset == b->offset && a->newest == b->newest && streq(a->digest, b->digest);
}

static void take_out(LogPositions *p, size_t i) {
    memmove(&p->at[i], &p->at[i + 1], (--p->n - i) * sizeof(p->at[0]));
}

static size_t find_file(const LogPositions *p, const LogPosition *file) {
    size_t i = 0;

    while (i < p->n && !log_position_same_file(&p->at[i], file))
        i++;
    return i;
}

int log_positions_move(LogPositions *p, const LogPosition *before, const LogPosition *after) {
    size_t i = find_file(p, before->inode > 0 ? before : after);
    bool known = i < p->n;

    if (before->inode > 0 ? !known || !log_position_equals(&p->at[i], before) : known)
        return -ESTALE;
    if (known)
        take_out(p, i);
    i = find_file(p, after); /* a copy goes on where its original ended, and its inode was another file's once */
    if (i < p->n)
        take_out(p, i);
    if (p->n == LOG_POSITIONS_MAX)
        take_out(p, 0);
    p->at[p->n++] = *after;
    return 0;
}

uint64_t log_positions_newest(const LogPositions *p) {
    uint64_t newest = 0;

    for (size_t i = 0; i < p->n; i++)
        if (p->at[i].newest > newest)
            newest = p->at[i].newest;
    return newest;
}

void log_positions_format(const LogPositions *p, char ret[static LOG_POSITIONS_TEXT_SIZE]) {
    size_t used = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < p->n; i++) {
        const LogPosition *at = &p->at[i];
        used += (size_t) snprintf(ret + used, LOG_POSITIONS_TEXT_SIZE - used,
                                  "%s%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%s", i > 0 ? "," : "", at->device, at->inode, at->offset,
                                  at->newest, at->digest);
    }
}

static int parse_one(const char *text, LogPosition *ret) {
    _cleanup_strv_ char **fields = NULL;

    int r = strv_split(text, ':', 5, &fields);
    if (r == -ENOMEM)
        return r;
    for (size_t i = 0; i < 5; i++) /* a missing one ends the list early */
        if (r < 0 || !fields[i])
            return -EINVAL;
    if (parse_u64(fields[0], NUMBER_MAX, &ret->device) < 0 || parse_u64(fields[1], NUMBER_MAX, &ret->inode) < 0 ||
        parse_u64(fields[2], NUMBER_MAX, &ret->offset) < 0 || parse_u64(fields[3], NUMBER_MAX, &ret->newest) < 0 || !digest_is_valid(fields[4]))
        return -EINVAL;
    strcpy(ret->digest, fields[4]);
    return log_position_is_valid(ret) ? 0 : -EINVAL;
}

int log_positions_parse(const char *text, LogPositions *ret) {
    _cleanup_strv_ char **parts = NULL;
    LogPositions p = { 0 };

    int r = strv_split(text, ',', LOG_POSITIONS_MAX, &parts);
    for (size_t i = 0; r >= 0 && parts[i]; i++) {
        r = parse_one(parts[i], &p.at[p.n]);
        if (r >= 0 && find_file(&p, &p.at[p.n]) < p.n)
            r = -EINVAL;
        p.n++;
    }
    if (r < 0)
        return r == -ENOMEM ? r : -EINVAL;
    *ret = p;
    return 0;
}
