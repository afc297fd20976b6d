/* Asks systemd for the job of our own unit, at the one moment when the difference between "stop" and "restart" counts: after SIGTERM, which is the same
 * for both. It knows no unit by name. */
#include "units/own_unit.h"

#include "basic/cleanup.h"
#include "basic/strings.h"

#include <string.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define TIMEOUT_USEC 1000000

static void message_unrefp(sd_bus_message **m) {
    sd_bus_message_unref(*m);
}

static int ask(sd_bus *bus, sd_bus_message *call, sd_bus_message **ret) {
    return sd_bus_call(bus, call, TIMEOUT_USEC, NULL, ret);
}

/* The value of a property, whose type is `type`; it is the answer's. */
static int get(sd_bus *bus, const char *path, const char *interface, const char *name, const char *type, sd_bus_message **ret) {
    _cleanup_(message_unrefp) sd_bus_message *call = NULL;

    int r = sd_bus_message_new_method_call(bus, &call, SYSTEMD, path, "org.freedesktop.DBus.Properties", "Get");
    if (r >= 0)
        r = sd_bus_message_append(call, "ss", interface, name);
    if (r >= 0)
        r = ask(bus, call, ret);
    return r < 0 ? r : sd_bus_message_enter_container(*ret, 'v', type);
}

bool own_unit_stops(sd_bus *bus) {
    _cleanup_(message_unrefp) sd_bus_message *call = NULL, *unit = NULL, *job = NULL, *type = NULL;
    const char *path, *job_path, *text;
    uint32_t id;

    int r = sd_bus_message_new_method_call(bus, &call, SYSTEMD, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "GetUnitByPID");
    if (r >= 0)
        r = sd_bus_message_append(call, "u", 0); /* the caller's */
    if (r >= 0)
        r = ask(bus, call, &unit);
    if (r >= 0)
        r = sd_bus_message_read(unit, "o", &path);
    if (r >= 0)
        r = get(bus, path, "org.freedesktop.systemd1.Unit", "Job", "(uo)", &job);
    if (r >= 0)
        r = sd_bus_message_read(job, "(uo)", &id, &job_path);
    if (r < 0 || id == 0) /* a plain signal, no job */
        return false;
    r = get(bus, job_path, "org.freedesktop.systemd1.Job", "JobType", "s", &type);
    return r >= 0 && sd_bus_message_read(type, "s", &text) >= 0 && streq(text, "stop");
}
