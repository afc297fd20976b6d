/* Runs rsync in its jail and understands what it says: figures on stdout, trouble on stderr.
 *
 * Whether to try again is worker.c's decision. */
#include "transfer/copy.h"

#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "transfer/command.h"

#include <errno.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#define STATS_MAX 65536
#define STATUS_INTERVAL_MS 250
#define LAST_STATISTIC "total size is " /* rsync sleeps for 20 ms after this line before it looks whether ssh has ended */
#define VANISHED 24 /* rsync: a file was removed at the source between listing and copying. The copy is what the source has now */

/* When the connection broke, ssh knows better why than rsync. */
static int judge(Child *rsync, Connection *c, Failure *ret) {
    _cleanup_buffer_ Buffer said = { .max = 4 * SAID_MAX };

    if (rsync->term_signal == 0 && rsync->exit_status == 0)
        return 0;
    if (rsync->term_signal == 0 && rsync->exit_status == VANISHED) {
        child_detail(rsync->said.data, ret->detail, sizeof(ret->detail));
        log_warning("The source changed while it was copied, going on without what it has no more: %s", ret->detail);
        return 0;
    }
    if (c && child_look(&c->master) >= 0 && c->master.ended && c->master.said.size > 0)
        buffer_puts(&said, c->master.said.data);
    if (rsync->said.size > 0)
        buffer_puts(&said, rsync->said.data);
    if (said.error < 0)
        return said.error;
    ret->cause = cause_from_output(said.data, rsync->exit_status, rsync->term_signal);
    child_detail(said.data, ret->detail, sizeof(ret->detail));
    if (!ret->detail[0])
        snprintf(ret->detail, sizeof(ret->detail), rsync->term_signal ? "rsync: signal %d" : "rsync: exit status %d",
                 rsync->term_signal ? rsync->term_signal : rsync->exit_status);
    return -ECONNABORTED;
}

static bool keep_line(const char *line, size_t size, void *userdata) {
    Buffer *text = userdata;
    buffer_append(text, line, size);
    buffer_putc(text, '\n');
    /* Nothing there may be because of what rsync is about to complain of: then its end is waited for. */
    return !has_prefix(line, LAST_STATISTIC) || line[sizeof(LAST_STATISTIC) - 1] == '0';
}

int copy_size(const Options *o, Connection *c, const char *staging, Child *rsync, RsyncStats *ret, Failure *ret_failure) {
    _cleanup_command_ Command command = { 0 };
    _cleanup_buffer_ Buffer text = { .max = STATS_MAX };
    int r;

    sd_notifyf(false, "STATUS=Measuring %s:%s", o->host, o->path);
    command_rsync_size(o, c->control, &command);
    if (command.error < 0)
        return command.error;
    r = child_start(command.argv, &(Jail) { .staging = staging }, rsync);
    if (r >= 0)
        r = child_wait(rsync, keep_line, &text);
    if (r >= 0)
        r = judge(rsync, c, ret_failure);
    if (r >= 0)
        r = text.error;
    if (r >= 0)
        r = rsync_stats_parse(text.data ? text.data : "", ret);
    return r;
}

typedef struct Watch {
    const RsyncStats *size;
    uint64_t there;
    uint64_t shown_ms;
    bool moved;
} Watch;

static void show_progress(Watch *w, const Progress *p) {
    uint64_t now = monotonic_ms();
    char text[160];

    if (w->shown_ms > 0 && now - w->shown_ms < STATUS_INTERVAL_MS && p->bytes < p->total)
        return;
    w->shown_ms = now;
    if (progress_format_status(PROGRESS_COPY, p, text, sizeof(text)) >= 0)
        sd_notifyf(false, "STATUS=%s", text);
}

static bool take_progress(const char *line, size_t size, void *userdata) {
    Watch *w = userdata;
    Progress p;

    if (progress_parse_rsync(line, size, &p) < 0)
        return true;
    w->moved = w->moved || p.bytes > 0;
    /* rsync counts the files of this run, from their beginnings even where it goes on with a part; whole files that were there come on top. */
    p.bytes += w->size->bytes - w->size->needed;
    if (p.bytes < w->there)
        p.bytes = w->there;
    p.total = w->size->bytes;
    if (p.bytes > p.total)
        p.bytes = p.total;
    progress_derive(&p);
    show_progress(w, &p);
    return true;
}

int copy_run(const Options *o, Connection *c, const char *staging, const RsyncStats *size, uint64_t there, bool *ret_moved,
             Failure *ret_failure) {
    _cleanup_command_ Command command = { 0 };
    _cleanup_child_ Child rsync = CHILD_NONE;
    Progress begin = { .bytes = there, .total = size->bytes };
    Watch w = { .size = size, .there = there };
    int r;

    progress_derive(&begin);
    show_progress(&w, &begin);
    command_rsync_copy(o, c->control, &command);
    if (command.error < 0)
        return command.error;
    r = child_start(command.argv, &(Jail) { .staging = staging }, &rsync);
    if (r >= 0)
        r = child_wait(&rsync, take_progress, &w);
    *ret_moved = w.moved;
    return r < 0 ? r : judge(&rsync, c, ret_failure);
}
