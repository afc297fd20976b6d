/* Calls to tempoftpd that survive its restarts, and the restart of the bus: each try opens a connection of its own.
 *
 * Knows what the answers mean, not what leads to the calls. */
#include "units/manager_report.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <systemd/sd-bus.h>

#define USEC_PER_SECOND 1000000ull
#define CALL_TIMEOUT_USEC (60 * USEC_PER_SECOND)
#define SHORT_TIMEOUT_USEC (2 * USEC_PER_SECOND)
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

static int fill(sd_bus_message *m, const ManagerReport *report) {
    int r = sd_bus_message_append(m, "s", report->token);

    for (size_t i = 0; r >= 0 && i < report->n_numbers; i++)
        r = sd_bus_message_append(m, "t", report->numbers[i]);
    for (size_t i = 0; r >= 0 && report->texts && report->texts[i]; i++)
        r = sd_bus_message_append(m, "s", report->texts[i]);
    return r;
}

static int try_once(const ManagerReport *report, uint64_t timeout_usec) {
    _cleanup_(bus_unrefp) sd_bus *bus = NULL;
    _cleanup_(message_unrefp) sd_bus_message *m = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r;

    if (sd_bus_open_system(&bus) < 0)
        return -EAGAIN;
    r = sd_bus_message_new_method_call(bus, &m, "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1", report->method);
    if (r >= 0)
        r = sd_bus_message_sensitive(m);
    if (r >= 0)
        r = fill(m, report);
    if (r < 0)
        return r == -ENOMEM ? r : -EAGAIN;
    r = sd_bus_call(bus, m, timeout_usec, &error, NULL);
    if (r < 0)
        r = meaning(&error);
    sd_bus_error_free(&error);
    return r < 0 ? r : 0;
}

int manager_report(const ManagerReport *report, unsigned patience_seconds) {
    uint64_t deadline = monotonic_ms() + patience_seconds * UINT64_C(1000);
    unsigned pause = 1;
    int r;

    for (;;) {
        r = try_once(report, patience_seconds > 0 ? CALL_TIMEOUT_USEC : SHORT_TIMEOUT_USEC);
        if (r != -EAGAIN)
            return r;
        if (monotonic_ms() >= deadline)
            return -ETIMEDOUT;
        sleep(pause);
        if (pause < PAUSE_MAX_SECONDS)
            pause *= 2;
    }
}
