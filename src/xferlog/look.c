/* Reads each file of the log from its position on and tells what was in it, batch by batch: position and downloads go into one transaction of tempoftpd,
 * so that whoever is killed here, nothing is counted twice and nothing is left out. */
#include "xferlog/look.h"

#include "basic/log.h"
#include "basic/time.h"
#include "model/messages.h"
#include "xferlog/files.h"
#include "xferlog/read.h"
#include "xferlog/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

static const LogPosition nowhere;

/* What stands in the database for this file, or for the one it is a copy of. */
static const LogPosition *position_before(const Look *l, const LogFile *f) {
    if (f->known.inode > 0 && !f->second)
        return &f->known;
    for (size_t i = 0; i < l->positions.n; i++) /* truncated, or another file with an inode that was used before */
        if (log_position_same_file(&l->positions.at[i], &f->file))
            return &l->positions.at[i];
    return &nowhere;
}

static void complain(Look *l, uint64_t unknown) {
    LogContext about = { .message_id = MESSAGE_ID_TRANSFER_LOG };

    if (unknown == 0 || l->complained)
        return;
    l->complained = true;
    log_line(LOG_WARNING, &about, "%s has lines that are not in the format w3c (%" PRIu64 " so far), they are not counted: Pure-FTPd's AltLog must be w3c:%s",
             l->log, unknown, l->log);
}

typedef struct Progress {
    LogPosition before; /* in the database */
    bool registered;    /* and it is this very file's, with what was read of it */
    LogReading reading;
} Progress;

/* One batch. 1: told; 0: there was nothing worth it. */
static int read_batch(Look *l, const LogFile *f, const LogRules *rules, bool all, Progress *p) {
    uint64_t from = p->reading.offset;

    l->tally.n = 0;
    int r = log_read(f->fd, from, rules, &l->tally, &p->reading);
    if (r < 0)
        return r;
    uint64_t size = p->reading.offset - from;
    bool quiet = l->tally.n == 0 && size < LOOK_QUIET_BYTES && f->current && !all;
    if (p->registered && (size == 0 || quiet))
        return 0; /* a file that nobody knew is made known, even empty: what it may hold one day is new */
    LogPosition after = f->file;
    after.offset = p->reading.offset;
    after.newest = p->before.newest > (uint64_t) p->reading.newest ? p->before.newest : (uint64_t) p->reading.newest;
    r = log_digest(f->fd, after.offset, after.digest);
    if (r >= 0)
        r = report_move(l->bus, &p->before, &after, &l->tally);
    if (r >= 0)
        r = log_positions_move(&l->positions, &p->before, &after);
    if (r < 0)
        return r;
    complain(l, p->reading.unknown);
    for (size_t i = 0; i < l->tally.n; i++)
        l->told += l->tally.rows[i].files;
    p->before = after;
    p->registered = true;
    return 1;
}

static int read_log_file(Look *l, const LogFile *f, uint64_t newest, bool all) {
    LogRules rules = { .data_path = l->data_path, .now = utc_now() };
    Progress p = { .before = *position_before(l, f), .reading.offset = f->known.offset };
    bool told = false;
    int r;

    if (f->second && !f->current)
        return 0; /* as soon as the other has gone on, its lines are old ones */
    p.registered = f->known.inode > 0 && log_position_same_file(&p.before, &f->file);
    if (f->known.inode == 0 && newest > 0) /* the log after a rotation: of this second on; an older file that nobody knows may be a copy */
        rules.not_before = (int64_t) newest + !f->current;
    do {
        r = read_batch(l, f, &rules, all, &p);
        told = told || r > 0;
    } while (r > 0 && p.reading.more);
    return r < 0 ? r : told;
}

/* The next look finds the file by it, whatever became of its name. */
static void hold(Look *l, const LogFiles *files) {
    const LogFile *last = files->n > 0 ? &files->at[files->n - 1] : NULL;

    if (l->held >= 0)
        close(l->held);
    l->held = last && last->current ? fcntl(last->fd, F_DUPFD_CLOEXEC, 3) : -EBADF;
}

int look_at_log(Look *l, bool all) {
    _cleanup_log_files_ LogFiles files = { 0 };
    bool told = false;
    int r = l->asked ? 0 : report_ask(l->bus, &l->positions);

    if (r < 0)
        return r;
    l->asked = true;
    uint64_t newest = log_positions_newest(&l->positions);
    r = log_files_find(l->log, l->held, &files);
    if (r >= 0)
        r = log_files_match(&files, &l->positions);
    for (size_t i = 0; r >= 0 && i < files.n; i++) {
        r = read_log_file(l, &files.at[i], newest, all);
        told = told || r > 0;
    }
    if (r < 0) {
        l->asked = r != -ESTALE;
        return r;
    }
    hold(l, &files);
    return told;
}
