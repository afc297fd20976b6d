/* Waits for the log's folder to change, looks, and looks again when tempoftpd was away. It reads nothing itself. */
#include "xferlog/follow.h"

#include "basic/log.h"
#include "model/messages.h"
#include "xferlog/files.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#define GATHER_USEC 200000 /* after a change: lines come in groups */
#define RETRY_FIRST_USEC 500000
#define RETRY_LAST_USEC 30000000
#define USEC_PER_SECOND 1000000ull

typedef struct Follower {
    Look *look;
    sd_event *event;
    sd_event_source *changed, *next, *quiet; /* the folder; a look that is due; the end of patience */
    uint64_t idle_usec, retry_usec;
    bool failing;
} Follower;

static void follower_done(Follower *f) {
    sd_event_source_disable_unref(f->changed);
    sd_event_source_disable_unref(f->next);
    sd_event_source_disable_unref(f->quiet);
    sd_event_unref(f->event);
}

static int arm(sd_event_source *timer, uint64_t usec) {
    int r = sd_event_source_set_time_relative(timer, usec);

    return r < 0 ? r : sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int be_patient(Follower *f) {
    return f->idle_usec > 0 ? arm(f->quiet, f->idle_usec) : 0;
}

/* Nothing is lost by waiting: what could not be told stays in the log. */
static int look_failed(Follower *f, int r) {
    LogContext about = { .message_id = MESSAGE_ID_TRANSFER_LOG };

    if (r == -ENOTCONN) /* systemd starts us anew, with a new connection */
        return log_errno(r, "The system bus is gone");
    if (r == -ESTALE && !f->failing) {
        f->failing = true;
        return arm(f->next, 0);
    }
    const char *why = r == -EAGAIN ? "tempoftpd does not answer" : strerror(-r);
    if (f->retry_usec == RETRY_FIRST_USEC) /* once, not at each try */
        log_line(LOG_WARNING, &about, "Cannot count the downloads in %s, trying again: %s", f->look->log, why);
    (void) sd_notifyf(false, "STATUS=Cannot count the downloads in %s, trying again: %s", f->look->log, why);
    f->failing = true;
    uint64_t wait = f->retry_usec;
    f->retry_usec = wait * 2 > RETRY_LAST_USEC ? RETRY_LAST_USEC : wait * 2;
    return arm(f->next, wait);
}

/* 2: something was told; 1: there was nothing new; 0: it could not be told, and is tried again. */
static int look(Follower *f, bool all) {
    int r = look_at_log(f->look, all);

    if (r < 0) {
        r = look_failed(f, r);
        return r < 0 ? r : 0;
    }
    if (f->retry_usec > RETRY_FIRST_USEC)
        log_info("The downloads in %s are counted again", f->look->log);
    f->failing = false;
    f->retry_usec = RETRY_FIRST_USEC;
    (void) sd_notifyf(false, "STATUS=Following %s: %" PRIu64 " downloads counted", f->look->log, f->look->told);
    int waits = r > 0 ? be_patient(f) : 0;
    return waits < 0 ? waits : r > 0 ? 2 : 1;
}

static int on_next(sd_event_source *source, uint64_t now, void *userdata) {
    int r = look(userdata, false);

    return r < 0 ? r : 0;
}

static int on_changed(sd_event_source *source, const struct inotify_event *event, void *userdata) {
    Follower *f = userdata;
    int enabled;

    if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) /* another folder may come by this name: tempoftp-xferlog.path waits for it */
        return sd_event_exit(f->event, 0);
    int r = sd_event_source_get_enabled(f->next, &enabled);
    return r != 0 || enabled != SD_EVENT_OFF ? r : arm(f->next, GATHER_USEC);
}

static int on_quiet(sd_event_source *source, uint64_t now, void *userdata) {
    Follower *f = userdata;
    int r = look(f, true);

    if (r < 0)
        return r;
    return r == 1 ? sd_event_exit(f->event, 0) : be_patient(f);
}

static int set_up(Follower *f) {
    _cleanup_free_ char *folder = log_folder(f->look->log);
    sigset_t signals;
    int r;

    if (!folder)
        return -ENOMEM;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    r = sd_event_new(&f->event);
    if (r >= 0)
        r = sd_event_add_signal(f->event, NULL, SIGTERM, NULL, NULL);
    if (r >= 0)
        r = sd_event_add_signal(f->event, NULL, SIGINT, NULL, NULL);
    if (r >= 0)
        r = sd_event_add_time_relative(f->event, &f->next, CLOCK_MONOTONIC, 0, 1000, on_next, f);
    if (r >= 0)
        r = sd_event_add_time_relative(f->event, &f->quiet, CLOCK_MONOTONIC, f->idle_usec, 100000, on_quiet, f);
    if (r >= 0 && f->idle_usec == 0)
        r = sd_event_source_set_enabled(f->quiet, SD_EVENT_OFF);
    if (r < 0)
        return log_errno(r, "Cannot set up the event loop");
    r = sd_event_add_inotify(f->event, &f->changed, folder,
                             IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR, on_changed, f);
    return r < 0 && r != -ENOENT ? log_errno(r, "Cannot watch %s", folder) : r;
}

int follow_log(Look *l, int idle_seconds) {
    _cleanup_(follower_done) Follower f = { .look = l, .idle_usec = (uint64_t) idle_seconds * USEC_PER_SECOND, .retry_usec = RETRY_FIRST_USEC };

    int r = set_up(&f);
    if (r == -ENOENT)
        log_notice("There is no folder of %s: nothing to follow", l->log);
    (void) sd_notify(false, "READY=1");
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = sd_event_loop(f.event);
    (void) sd_notify(false, "STOPPING=1");
    return r;
}
