/* What workers, timers and the FTP server may tell tempoftpd: one vtable. Who may call what at all stands in the bus policy; whom a report is about comes
 * from the run token or from the caller's own unit, never from an argument. */
#include "api/bus.h"

#include "api/access.h"
#include "api/change.h"
#include "api/export_queue.h"
#include "api/folders.h"
#include "api/lifecycle.h"
#include "api/reconcile.h"
#include "api/settle.h"
#include "api/transfers.h"
#include "basic/strings.h"
#include "model/unit_name.h"

#include <errno.h>
#include <stdio.h>

#define BUS_PATH "/org/tempoftp/Manager1"
#define BUS_CALLS_MAX 1024 /* kept messages; past it callers are told to come again */

void bus_answer(sd_bus_message *call, int r, const char *text) {
    static const struct {
        int r;
        const char *name;
    } names[] = {
        { -ESTALE, "org.tempoftp.Error.Stale" },  { -ENOENT, "org.tempoftp.Error.Stale" },
        { -ENOSPC, "org.tempoftp.Error.NoSpace" }, { -EPERM, "org.tempoftp.Error.Denied" },
        { -EINVAL, "org.tempoftp.Error.Invalid" },
    };
    const char *name = "org.tempoftp.Error.Unavailable";

    for (size_t i = 0; i < ELEMENTS(names); i++)
        if (names[i].r == r)
            name = names[i].name;
    if (r >= 0)
        (void) sd_bus_reply_method_return(call, NULL);
    else
        (void) sd_bus_reply_method_errorf(call, name, "%s", text ? text : strerror(-r));
    sd_bus_message_unref(call);
}

/* ---- the worker's reports ---- */

typedef struct Report {
    Manager *m;
    sd_bus_message *call;
    uint64_t life;
    uint32_t run;
    uint64_t bytes, files, needed;
} Report;

static void report_close(Report *report, int r, const char *text) {
    bus_answer(report->call, r, text);
    manager_release(report->m);
    free(report);
}

/* The request behind a token; -ESTALE when there is none (an older run, a finished request, a lie). */
static Report *report_new(Manager *m, sd_bus_message *call, const char *token, Request *ret_request, int *ret_error) {
    Report *report = calloc(1, sizeof(*report));
    int r = report ? store_get_token(m->store, token, ret_request) : -ENOMEM;

    if (r < 0) {
        free(report);
        *ret_error = r == -EINVAL ? -ESTALE : r;
        return NULL;
    }
    manager_hold(m);
    report->m = m;
    report->call = sd_bus_message_ref(call);
    report->life = ret_request->life;
    report->run = ret_request->run;
    return report;
}

static int refuse(sd_bus_message *call, int r) {
    bus_answer(sd_bus_message_ref(call), r, NULL);
    return 1;
}

static void report_written(Change *c, int r) {
    Report *report = c->userdata;

    if (r < 0 && c->apply == change_apply_sized) {
        Transfer *x = transfers_find(report->m->transfers, report->life);
        if (x)
            x->reserved = 0;
    }
    report_close(report, r, NULL);
}

static void report_write(Report *report, ChangeApply apply) {
    Change *c = change_new(report->m, apply, report_written, report);

    if (!c) {
        report_close(report, -ENOMEM, NULL);
        return;
    }
    c->life = report->life;
    c->run = report->run;
    c->bytes = report->bytes;
    c->files = report->files;
    change_run(c);
}

/* Everyone's progress is fresh: is there room for this one beside what the others may still write? The reservation is made in the same turn of the
 * loop, so no two requests can pass on the same bytes. */
static void sized_with_progress(Manager *m, void *userdata) {
    Report *report = userdata;
    Transfer *x = transfers_find(m->transfers, report->life);
    uint64_t available, total, reserved = transfers_reserved(m->transfers, report->life);
    char text[4096];

    int r = x ? folders_space(m->data_fd, &available, &total) : -ESTALE;
    if (r < 0) {
        report_close(report, r, NULL);
        return;
    }
    if (reserved > available || report->needed > available - reserved) {
        snprintf(text, sizeof(text), "Espacio insuficiente en %s: se requieren %llu bytes", m->settings->data_path,
                 (unsigned long long) report->needed);
        lifecycle_fail(m, report->life, report->run, CAUSE_TOO_LARGE, text);
        report_close(report, -ENOSPC, text);
        return;
    }
    x->sized = true;
    x->needed = x->reserved = report->needed;
    report_write(report, change_apply_sized);
}

static int method_sized(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    Manager *m = userdata;
    _cleanup_request_ Request request = { 0 };
    const char *token;
    uint64_t bytes, files, needed;

    int r = sd_bus_message_read(call, "sttt", &token, &bytes, &files, &needed);
    if (r < 0)
        return r;
    if (bytes > INT64_MAX || files > INT64_MAX || needed > INT64_MAX)
        return refuse(call, -EINVAL); /* no copy has so much, and no database either */
    Report *report = report_new(m, call, token, &request, &r);
    if (!report)
        return refuse(call, r);
    report->bytes = bytes;
    report->files = files;
    report->needed = needed;
    if (transfers_refresh(m, 0, 0, sized_with_progress, report) < 0)
        report_close(report, -ENOMEM, NULL);
    return 1;
}

static int method_done(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    Manager *m = userdata;
    _cleanup_request_ Request request = { 0 };
    const char *token;
    uint64_t bytes, files;

    int r = sd_bus_message_read(call, "stt", &token, &bytes, &files);
    if (r < 0)
        return r;
    if (bytes > INT64_MAX || files > INT64_MAX)
        return refuse(call, -EINVAL);
    Report *report = report_new(m, call, token, &request, &r);
    if (!report)
        return refuse(call, r);
    report->bytes = bytes;
    report->files = files;
    report_write(report, change_apply_copied);
    return 1;
}

static int method_failed(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    Manager *m = userdata;
    _cleanup_request_ Request request = { 0 };
    const char *token, *cause_text, *detail;
    Cause cause;

    int r = sd_bus_message_read(call, "sss", &token, &cause_text, &detail);
    if (r < 0)
        return r;
    r = store_get_token(m->store, token, &request);
    if (r == -EINVAL)
        r = -ESTALE; /* no token at all: as with the other reports */
    else if (r >= 0)
        r = cause_parse(cause_text, &cause);
    if (r < 0)
        return refuse(call, r);
    lifecycle_fail(m, request.life, request.run, cause, detail);
    bus_answer(sd_bus_message_ref(call), 0, NULL);
    return 1;
}

/* ---- the reports of uploads ---- */

static void export_answer(void *userdata, int r) {
    bus_answer(userdata, r, NULL);
}

static int export_told(Manager *m, sd_bus_message *call, const ExportReport *report) {
    export_report(m, report, export_answer, sd_bus_message_ref(call));
    return 1;
}

static int method_export_note(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    ExportReport report = { .kind = EXPORT_SAYS_NOTE };

    int r = sd_bus_message_read(call, "ss", &report.token, &report.text);
    return r < 0 ? r : export_told(userdata, call, &report);
}

static int method_export_done(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    ExportReport report = { .kind = EXPORT_SAYS_DONE };

    int r = sd_bus_message_read(call, "stt", &report.token, &report.bytes, &report.files);
    if (r < 0)
        return r;
    if (report.bytes > INT64_MAX || report.files > INT64_MAX)
        return refuse(call, -EINVAL);
    return export_told(userdata, call, &report);
}

static int method_export_failed(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    ExportReport report = { .kind = EXPORT_SAYS_FAILED };
    const char *cause;

    int r = sd_bus_message_read(call, "sss", &report.token, &cause, &report.text);
    if (r < 0)
        return r;
    if (export_cause_parse(cause, &report.cause) < 0)
        return refuse(call, -EINVAL);
    return export_told(userdata, call, &report);
}

/* ---- ends of units, timers ---- */

static int caller_unit(sd_bus_message *call, ReportUnit *ret) {
    _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
    const char *unit;

    int r = sd_bus_query_sender_creds(call, SD_BUS_CREDS_PID | SD_BUS_CREDS_UNIT | SD_BUS_CREDS_AUGMENT, &creds);
    if (r >= 0)
        r = sd_bus_creds_get_unit(creds, &unit);
    return r < 0 ? r : report_unit_name_parse(unit, ret);
}

static int method_unit_ended(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    Manager *m = userdata;
    const char *result, *exit_code, *exit_status;
    ReportUnit unit;
    char detail[128];

    int r = sd_bus_message_read(call, "sss", &result, &exit_code, &exit_status);
    if (r < 0)
        return r;
    if (caller_unit(call, &unit) < 0)
        return refuse(call, -EPERM);
    if (unit.kind == UNIT_TRANSFER)
        lifecycle_transfer_ended(m, unit.life, unit.run, result, exit_code, exit_status);
    else if (unit.kind == UNIT_PURGE || unit.kind == UNIT_DROP) {
        snprintf(detail, sizeof(detail), "%.32s: %.32s/%.32s", result, exit_code, exit_status);
        tasks_purge_ended(m, unit.kind == UNIT_DROP ? TASK_DROP : TASK_PURGE, unit.life, unit.run, unit.id, !unit.failed, detail);
    }
    else if (unit.kind == UNIT_EXPORT) {
        snprintf(detail, sizeof(detail), "%.32s: %.32s/%.32s", result, exit_code, exit_status);
        export_unit_ended(m, unit.life, unit.n, unit.run, detail);
    }
    bus_answer(sd_bus_message_ref(call), 0, NULL);
    return 1;
}

static void expire_due_done(Manager *m, unsigned n, void *userdata) {
    sd_bus_message *call = userdata;

    tasks_kick(m);
    access_kick(m);
    reconcile_sweep(m);
    (void) sd_bus_reply_method_return(call, "u", n);
    sd_bus_message_unref(call);
}

static int method_expire_due(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    lifecycle_expire_due(userdata, expire_due_done, sd_bus_message_ref(call));
    return 1;
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Authenticate", "sss", "bsstst", login_authenticate, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Downloads", "a(sssttt)", "", downloads_told, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("TransferLogPositions", "", "a(tttts)", downloads_positions, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("TransfersLogged", "(tttts)(tttts)a(sssttt)", "", downloads_logged, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("TransferSized", "sttt", "", method_sized, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("TransferDone", "stt", "", method_done, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("TransferFailed", "sss", "", method_failed, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("ExportNote", "ss", "", method_export_note, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("ExportDone", "stt", "", method_export_done, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("ExportFailed", "sss", "", method_export_failed, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("UnitEnded", "sss", "", method_unit_ended, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("ExpireDue", "", "u", method_expire_due, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

/* ---- the connection ---- */

int bus_open(Manager *m) {
    int r = sd_bus_open_system(&m->bus);

    if (r < 0)
        return log_errno(r, "Cannot connect to the system bus");
    r = sd_bus_add_object_vtable(m->bus, NULL, BUS_PATH, BUS_NAME, vtable, m);
    if (r >= 0)
        r = sd_bus_set_exit_on_disconnect(m->bus, true); /* without the bus it could do nothing: systemd starts it anew */
    if (r >= 0)
        r = sd_bus_attach_event(m->bus, m->event, SD_EVENT_PRIORITY_NORMAL);
    if (r < 0)
        return log_errno(r, "Cannot set up the system bus connection");
    return 0;
}

typedef struct Release {
    Manager *m;
    BusReleased released;
} Release;

static int on_released(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
    Release *release = userdata;
    const char *name, *before, *after, *own;

    if (sd_bus_message_read(signal, "sss", &name, &before, &after) < 0 || sd_bus_get_unique_name(release->m->bus, &own) < 0)
        return 0;
    if (streq(before, own))
        release->released(release->m);
    return 0;
}

static int on_release_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    return 0; /* what counts is NameOwnerChanged: it comes behind every call that was sent to us */
}

int bus_release(Manager *m, BusReleased released) {
    Release *release = malloc(sizeof(*release));

    if (!release)
        return -ENOMEM;
    *release = (Release) { .m = m, .released = released };
    int r = sd_bus_add_match(m->bus, NULL,
                             "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                             "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" BUS_NAME "'",
                             on_released, release);
    if (r >= 0)
        r = sd_bus_release_name_async(m->bus, NULL, BUS_NAME, on_release_reply, NULL);
    return r;
}
