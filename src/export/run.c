/* Reads the folder, uploads in a thread, and meanwhile looks at signals and tells systemd how far it is; in the end tells tempoftpd.
 *
 * SIGTERM means that somebody stops the unit, not why. When tempoftpd says that the run counts no more, what lies at the destination under temporary names is taken
 * away; otherwise (a reboot, an operator) it stays for the next run. */
#include "export/run.h"

#include "basic/fds.h"
#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "export/probe.h"
#include "export/upload.h"
#include "model/progress.h"
#include "units/manager_report.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#define DELIVERED_FOLDER "/var/lib/tempoftp-export" /* unless $STATE_DIRECTORY (systemd.exec(5)) is another */
#define LIST_PATH_SIZE 512
#define NOTE_SIZE 512
#define TICK_MS 250
#define SIG_ENDED SIGUSR1 /* the thread has ended: no tick is waited for */
#define RATE_TICKS 40 /* the rate is that of the last ten seconds */

typedef struct Run {
    const Options *options;
    const Line *line;
    LogContext about;
    Source source;
    Delivered delivered;
    Plan *plan;
    Upload *upload;
    pthread_t watcher;
    ExportFailure failure;
    int result;
    atomic_bool ended;
    uint64_t history[RATE_TICKS]; /* Flow.sent at the last ticks */
    unsigned ticks;
} Run;

static void run_done(Run *r) {
    upload_free(r->upload);
    plan_free(r->plan);
    delivered_close(&r->delivered);
    source_done(&r->source);
}

static int tell(const Run *r, const char *method, const uint64_t *numbers, size_t n, const char *const *texts, unsigned patience) {
    return manager_report(&(ManagerReport) { method, r->line->order->token, numbers, n, texts }, patience);
}

/* From any thread. That tempoftpd is away for a moment costs the line its place in the request's log, not in the journal. */
static void note(const char *text, void *userdata) {
    const Run *r = userdata;
    char line[NOTE_SIZE];

    printable(text, line, sizeof(line));
    log_line(LOG_INFO, &r->about, "[FTP Upload] %s", line);
    (void) tell(r, "ExportNote", NULL, 0, (const char *const[]) { line, NULL }, 0);
}

/* ---- progress ---- */

static void show(Run *r) {
    uint64_t sent = atomic_load(&r->line->flow->sent), *oldest = &r->history[r->ticks % RATE_TICKS];
    unsigned span = r->ticks < RATE_TICKS ? r->ticks : RATE_TICKS;
    uint64_t before = r->ticks < RATE_TICKS ? r->history[0] : *oldest;
    Progress p = { .bytes = sent < r->source.bytes ? sent : r->source.bytes, .total = r->source.bytes };
    char text[160];

    p.rate = span > 0 && sent > before ? (sent - before) * 1000 / (span * TICK_MS) : 0;
    *oldest = sent;
    r->ticks++;
    progress_derive(&p);
    if (progress_format_status(PROGRESS_UPLOAD, &p, text, sizeof(text)) >= 0)
        sd_notifyf(false, "STATUS=%s", text);
}

/* ---- the upload ---- */

static void *run_thread(void *userdata) {
    Run *r = userdata;

    r->result = upload_run(r->upload, &r->failure);
    atomic_store(&r->ended, true);
    (void) pthread_kill(r->watcher, SIG_ENDED);
    return NULL;
}

/* True: a signal came before the end. */
static bool watch(Run *r, const sigset_t *signals) {
    const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
    bool signalled = false;

    while (!atomic_load(&r->ended)) {
        int got = sigtimedwait(signals, NULL, &tick);
        if (got > 0 && got != SIG_ENDED) {
            signalled = true;
            atomic_store(&r->line->flow->stop, true);
        }
        if (atomic_load(&r->line->flow->sent) > 0 || r->ticks > 0)
            show(r);
    }
    return signalled;
}

static int bad_source(Run *r, int error, const char *bad) {
    char detail[PROBE_DETAIL_SIZE];

    snprintf(detail, sizeof(detail), "%s%s%s", bad ? bad : "", bad ? ": " : "", strerror(-error));
    return failed(&r->failure, error == -E2BIG ? EXPORT_INTERNAL : EXPORT_SOURCE, detail);
}

static int prepare(Run *r, const char *list) {
    const Options *o = r->options;
    const UploadSettings settings = { (unsigned) o->connections, (unsigned) o->retries, (unsigned) o->retry_seconds };
    _cleanup_free_ char *bad = NULL;
    char text[96];
    size_t left;
    int error;

    error = source_read(o->folder, &r->source, &bad);
    if (error < 0)
        return bad_source(r, error, bad);
    if ((error = delivered_open(list, &r->delivered)) < 0 || (error = plan_new(&r->source, &r->delivered, o->id, o->life, o->number, &r->plan)) < 0 ||
        (error = upload_new(r->line, &r->source, &r->delivered, r->plan, &settings, note, r, &r->upload)) < 0)
        return failed(&r->failure, EXPORT_INTERNAL, strerror(-error));
    left = plan_left(r->plan);
    atomic_store(&r->line->flow->sent, plan_bytes_done(r->plan));
    if (left < r->source.n_files) {
        snprintf(text, sizeof(text), "going on: %zu of %zu files are there already", r->source.n_files - left, r->source.n_files);
        note(text, r);
    }
    return 0;
}

/* Returns whether a signal ended it. */
static bool upload(Run *r) {
    pthread_t thread;
    sigset_t signals;
    bool signalled;
    int error;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIG_ENDED);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    r->watcher = pthread_self();
    sd_notifyf(false, "STATUS=Connecting to %s", r->line->order->host);
    error = pthread_create(&thread, NULL, run_thread, r);
    if (error > 0) {
        r->result = failed(&r->failure, EXPORT_INTERNAL, strerror(error));
        return false;
    }
    signalled = watch(r, &signals);
    pthread_join(thread, NULL);
    return signalled;
}

/* ---- the end ---- */

static void clean(Run *r) {
    size_t remain = r->upload ? upload_clean(r->upload) : 0;

    if (remain > 0)
        log_line(LOG_WARNING, &r->about, "[FTP Upload] %zu temporary files may remain at the destination (tempoftp-*.part)", remain);
}

static RunExit told(int r) {
    return r >= 0 || r == -ESTALE ? RUN_TOLD : RUN_UNREPORTED;
}

static RunExit report_done(Run *r) {
    const uint64_t numbers[] = { r->source.bytes, r->source.n_files };

    log_line(LOG_INFO, &r->about, "[FTP Upload] %llu bytes in %zu files are at %s", (unsigned long long) r->source.bytes, r->source.n_files, r->line->order->host);
    return told(tell(r, "ExportDone", numbers, ELEMENTS(numbers), NULL, MANAGER_PATIENCE_SECONDS));
}

static RunExit report_failed(Run *r) {
    const char *const texts[] = { export_cause_name(r->failure.cause), r->failure.detail, NULL };

    log_line(LOG_ERR, &r->about, "[FTP Upload] %s: %s", texts[0], texts[1]);
    return told(tell(r, "ExportFailed", NULL, 0, texts, MANAGER_PATIENCE_SECONDS));
}

/* *ret_keep: another run goes on where this one was. */
static RunExit stopped(Run *r, bool *ret_keep) {
    int error = tell(r, "ExportNote", NULL, 0, (const char *const[]) { "interrupted", NULL }, 0);

    *ret_keep = error != -ESTALE;
    log_line(LOG_NOTICE, &r->about, "[FTP Upload] Stopped: %s", *ret_keep ? "the next run goes on" : "nobody wants this upload any more");
    if (!*ret_keep)
        clean(r);
    return *ret_keep ? RUN_UNREPORTED : RUN_TOLD;
}

RunExit run_upload(const Options *o, const Line *line) {
    _cleanup_(run_done) Run r = { .options = o, .line = line, .about = { .request = o->id }, .source = SOURCE_NONE, .delivered = DELIVERED_NONE };
    const char *folder = getenv("STATE_DIRECTORY");
    char list[LIST_PATH_SIZE];
    bool signalled = false, keep = false;
    RunExit e;

    snprintf(list, sizeof(list), "%s/%s.%llu.%llu", folder ? folder : DELIVERED_FOLDER, o->id, (unsigned long long) o->life, (unsigned long long) o->number);
    r.result = prepare(&r, list);
    if (r.result >= 0)
        signalled = upload(&r);
    if (r.result >= 0)
        e = report_done(&r);
    else if (signalled && r.result == -ECANCELED)
        e = stopped(&r, &keep);
    else {
        if (r.result != -ECONNABORTED)
            (void) failed(&r.failure, EXPORT_INTERNAL, strerror(-r.result));
        clean(&r);
        e = report_failed(&r);
    }
    if (!keep && e == RUN_TOLD)
        (void) unlink(list);
    return e;
}

/* ---- a test ---- */

typedef struct Probe {
    const Line *line;
    ProbeResult result;
    atomic_bool ended;
} Probe;

static void *probe_thread(void *userdata) {
    Probe *p = userdata;

    probe_run(p->line, &p->result);
    atomic_store(&p->ended, true);
    return NULL;
}

/* One that hangs in its library is left behind: the process ends. */
RunExit run_test(const Line *line) {
    static const ProbeResult late = { .cause = EXPORT_TIMEOUT };
    Probe *p = calloc(1, sizeof(*p)); /* never freed while the thread may still be at it */
    char bytes[PROBE_RESULT_SIZE];
    uint64_t deadline = monotonic_ms() + PROBE_SECONDS * UINT64_C(1000);
    pthread_t thread;
    size_t size;

    if (!p)
        return RUN_UNREPORTED;
    p->line = line;
    if (pthread_create(&thread, NULL, probe_thread, p) > 0) {
        free(p);
        return RUN_UNREPORTED;
    }
    while (!atomic_load(&p->ended) && monotonic_ms() < deadline)
        usleep(10000);
    if (atomic_load(&p->ended))
        pthread_join(thread, NULL);
    if (probe_result_format(atomic_load(&p->ended) ? &p->result : &late, bytes, &size) < 0 || write_all(STDOUT_FILENO, bytes, size) < 0)
        return RUN_UNREPORTED;
    if (atomic_load(&p->ended))
        free(p);
    return RUN_TOLD;
}
