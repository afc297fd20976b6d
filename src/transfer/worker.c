/* The order of things: connect, measure, ask for the space, copy, look at the result, report. And what to do when one of them fails.
 *
 * Everything blocks, one step at a time; SIGTERM ends the process wherever it is, and systemd ends its children with it. */
#include "transfer/worker.h"

#include "basic/log.h"
#include "basic/time.h"
#include "transfer/copy.h"
#include "transfer/report.h"
#include "transfer/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define OURS -ECONNABORTED /* a failure with a cause, as opposed to an error of our own */

typedef struct Worker {
    const Options *options;
    const char *token;
    const char *key;
    char *staging;
    bool moved; /* the last try copied something */
} Worker;

unsigned worker_pause(unsigned try) {
    return try < 2 ? 0 : WORKER_FIRST_PAUSE_SECONDS << (try - 2);
}

/* An error of our own, in the form of the others. */
static int internal(int r, const char *what, Failure *ret) {
    log_errno(r, "%s", what);
    if (r == -ENOSPC || r == -EDQUOT)
        ret->cause = CAUSE_DISK_FULL;
    else
        ret->cause = CAUSE_INTERNAL;
    snprintf(ret->detail, sizeof(ret->detail), "%s: %s", what, strerror(-r));
    return OURS;
}

/* 0; OURS with the failure; -ENOSPC, -ESTALE, -EIO from a report: no failure to tell. */
static int try_once(Worker *w, Failure *f) {
    _cleanup_connection_ Connection c = CONNECTION_NONE;
    _cleanup_child_ Child sizing = CHILD_NONE;
    RsyncStats size;
    uint64_t partial, left;
    int r;

    w->moved = false;
    sd_notifyf(false, "STATUS=Connecting to %s", w->options->host);
    r = connection_open(w->options, w->key, &c, f);
    if (r < 0)
        return r == OURS ? r : internal(r, "Cannot start ssh", f);
    r = copy_size(w->options, &c, w->staging, &sizing, &size, f);
    if (r < 0)
        return r == OURS ? r : internal(r, "Cannot measure the source", f);
    r = tree_partial(w->staging, &partial);
    if (r < 0)
        return internal(r, "Cannot read the staging folder", f);
    left = size.needed > partial ? size.needed - partial : 0;
    r = report_sized(w->token, size.bytes, size.files, left);
    if (r < 0)
        return r;
    r = copy_run(w->options, &c, w->staging, &size, size.bytes - left, &w->moved, f);
    return r >= 0 || r == OURS ? r : internal(r, "Cannot run rsync", f);
}

static void wait_before(unsigned try, const Failure *f) {
    unsigned pause = worker_pause(try);
    char cause[32];

    snprintf(cause, sizeof(cause), "%s", cause_name(f->cause));
    for (char *dash = cause; (dash = strchr(dash, '-'));)
        *dash = ' ';
    log_warning("%s: %s; waiting %u s before try %u of %d", cause, f->detail, pause, try, WORKER_TRIES);
    sd_notifyf(false, "STATUS=Waiting %u s before try %u of %d: %s", pause, try, WORKER_TRIES, cause);
    sleep(pause);
}

static int copy_with_tries(Worker *w, Failure *f) {
    for (unsigned try = 1;; try++) {
        uint64_t begin = monotonic_ms();
        int r = try_once(w, f);

        if (r != OURS || !cause_is_retried(f->cause))
            return r;
        if (w->moved && monotonic_ms() - begin >= WORKER_LONG_TRY_SECONDS * 1000)
            try = 1;
        if (try == WORKER_TRIES)
            return r;
        wait_before(try + 1, f);
    }
}

static int copy(Worker *w, TreeCount *ret, Failure *f) {
    int r = tree_adopt_leftovers(w->staging);
    if (r < 0)
        return internal(r, "Cannot read the staging folder", f);
    r = copy_with_tries(w, f);
    if (r < 0)
        return r;
    r = tree_finish(w->staging, ret);
    return r < 0 ? internal(r, "Cannot read the copy", f) : 0;
}

static WorkerExit exit_for_report(int r) {
    return r == -ESTALE ? WORKER_UNWANTED : WORKER_UNREPORTED;
}

WorkerExit worker_run(const Options *o, const char *token, const char *key) {
    _cleanup_free_ char *staging = NULL;
    Worker w = { .options = o, .token = token, .key = key };
    TreeCount count;
    Failure f = { .cause = CAUSE_INTERNAL };
    LogContext about = { .request = o->id };
    int r;

    if (asprintf(&staging, "%s/%s", o->data, o->staging) < 0) {
        staging = NULL;
        return WORKER_UNREPORTED;
    }
    w.staging = staging;
    r = copy(&w, &count, &f);
    if (r >= 0) {
        /* Said before the report: the journal still has to find out who we are, and we are gone right after it. */
        log_line(LOG_INFO, &about, "Copied %llu bytes in %llu files from %s:%s", (unsigned long long) count.bytes,
                 (unsigned long long) count.files, o->host, o->path);
        r = report_done(token, count.bytes, count.files);
        if (r < 0)
            return exit_for_report(r);
        return WORKER_COPIED;
    }
    if (r == -ENOSPC) /* tempoftpd found it, so it knows */
        return WORKER_FAILED;
    if (r != OURS)
        return exit_for_report(r);
    log_line(LOG_ERR, &about, "%s: %s", cause_name(f.cause), f.detail);
    r = report_failed(token, &f);
    return r < 0 ? exit_for_report(r) : WORKER_FAILED;
}
