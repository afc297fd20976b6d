/* Calls to tempoftpd that survive its restarts, and the restart of the bus: each try opens a connection of its own.
 *
 * Knows what the answers mean, not what leads to the calls. */
#include "transfer/report.h"

#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#define CALL_TIMEOUT_USEC (60 * 1000000ull)
#define PAUSE_MAX_SECONDS 8

static void bus_unrefp(sd_bus **b) {
    sd_bus_flush_close_unref(*b);
}
static void message_unrefp(sd_bus_message **m) {
    sd_bus_message_unref(*m);
}

static const struct {
    const char *name;
    int r;
} finals[] = {
    { "org.tempoftp.Error.NoSpace", -ENOSPC },
    { "org.tempoftp.Error.Stale", -ESTALE },
    { "org.tempoftp.Error.Denied", -EIO },
    { "org.tempoftp.Error.Invalid", -EIO },
    { SD_BUS_ERROR_ACCESS_DENIED, -EIO },
    { SD_BUS_ERROR_INVALID_ARGS, -EIO },
    { SD_BUS_ERROR_UNKNOWN_METHOD, -EIO },
    { SD_BUS_ERROR_UNKNOWN_INTERFACE, -EIO },
};

/* -EAGAIN: nobody has answered, or not for good. */
static int meaning(const sd_bus_error *e) {
    for (size_t i = 0; i < ELEMENTS(finals); i++)
        if (sd_bus_error_has_name(e, finals[i].name))
            return finals[i].r;
    return -EAGAIN;
}

typedef struct Report {
    const char *method;
    const char *token;
    const uint64_t *numbers; /* n of them, or … */
    size_t n;
    const Failure *failure;  /* … this */
} Report;

static int fill(sd_bus_message *m, const Report *report) {
    int r = sd_bus_message_append(m, "s", report->token);

    for (size_t i = 0; r >= 0 && i < report->n; i++)
        r = sd_bus_message_append(m, "t", report->numbers[i]);
    if (r >= 0 && report->failure)
        r = sd_bus_message_append(m, "ss", cause_name(report->failure->cause), report->failure->detail);
    return r;
}

static int try_once(const Report *report) {
    _cleanup_(bus_unrefp) sd_bus *bus = NULL;
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r;

    if (sd_bus_open_system(&bus) < 0)
        return -EAGAIN;
    r = sd_bus_message_new_method_call(bus, &m, "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1", report->method);
    if (r >= 0)
        r = fill(m, report);
    if (r < 0)
        return r == -ENOMEM ? r : -EAGAIN;
    r = sd_bus_call(bus, m, CALL_TIMEOUT_USEC, &error, NULL);
    if (r < 0) {
        r = meaning(&error);
        log_debug("%s: %s", report->method, error.message ? error.message : "no answer");
    }
    sd_bus_error_free(&error);
    return r < 0 ? r : 0;
}

static int report(const Report *what) {
    uint64_t deadline = monotonic_ms() + MANAGER_PATIENCE_SECONDS * 1000;
    unsigned pause = 1;
    int r;

    for (;;) {
        r = try_once(what);
        if (r != -EAGAIN)
            return r;
        if (monotonic_ms() > deadline) {
            log_error("%s: tempoftpd did not answer for %d minutes", what->method, MANAGER_PATIENCE_SECONDS / 60);
            return -EIO;
        }
        sleep(pause);
        if (pause < PAUSE_MAX_SECONDS)
            pause *= 2;
    }
}

int report_sized(const char *token, uint64_t bytes, uint64_t files, uint64_t needed) {
    return report(&(Report) { "TransferSized", token, (const uint64_t[]) { bytes, files, needed }, 3, NULL });
}

int report_done(const char *token, uint64_t bytes, uint64_t files) {
    return report(&(Report) { "TransferDone", token, (const uint64_t[]) { bytes, files }, 2, NULL });
}

int report_failed(const char *token, const Failure *f) {
    return report(&(Report) { "TransferFailed", token, NULL, 0, f });
}
