/* The life of one asynchronous call: sent, answered, told to its owner exactly once, freed.
 *
 * It knows D-Bus messages and errors; what is asked and what an answer means is the business of broker_client.c and unit_query.c. */
#include "units/call.h"

#include "basic/strings.h"

#include <errno.h>
#include <systemd/sd-event.h>
#include <time.h>

/* dbus-daemon lets a connection have 128 calls open. What is too much waits here and goes out again. */
#define AGAIN_USEC (100 * 1000ull)

UnitCall *unit_call_free(UnitCall *c) {
    if (!c)
        return NULL;
    sd_bus_slot_unref(c->slot);
    sd_bus_message_unref(c->message);
    sd_event_source_disable_unref(c->again);
    cleanup_close_(&c->output);
    free(c->path);
    free(c->active);
    free(c->status);
    free(c);
    return NULL;
}

UnitCall *call_new(sd_bus *bus, UnitReply reply, void *userdata) {
    UnitCall *c = calloc(1, sizeof(*c));
    if (c)
        *c = (UnitCall) { .bus = bus, .reply = reply, .userdata = userdata, .output = -EBADF };
    return c;
}

/* Anything that is not named here is -EIO. */
static const struct {
    const char *name;
    int r;
} errors[] = {
    { "org.tempoftp.Error.Denied", -EPERM },
    { "org.tempoftp.Error.Invalid", -EINVAL },
    { "org.tempoftp.Error.AlreadyRunning", -EALREADY },
    { "org.tempoftp.Error.StartFailed", -ECHILD },
    { "org.tempoftp.Error.Unavailable", -EAGAIN },
    { SD_BUS_ERROR_ACCESS_DENIED, -EPERM },
    { SD_BUS_ERROR_INVALID_ARGS, -EINVAL },
    { SD_BUS_ERROR_NO_REPLY, -EAGAIN },
    { SD_BUS_ERROR_TIMEOUT, -EAGAIN },
    { "org.freedesktop.DBus.Error.TimedOut", -EAGAIN }, /* dbus-daemon's, of a service that it could not start in time */
    { SD_BUS_ERROR_DISCONNECTED, -EAGAIN },
    { SD_BUS_ERROR_SERVICE_UNKNOWN, -EAGAIN },
    { SD_BUS_ERROR_NAME_HAS_NO_OWNER, -EAGAIN },
    { SD_BUS_ERROR_NO_MEMORY, -ENOMEM },
};

int call_errno(const sd_bus_error *e) {
    for (size_t i = 0; i < ELEMENTS(errors); i++)
        if (streq(errors[i].name, e->name))
            return errors[i].r;
    /* dbus-daemon could not start it: org.freedesktop.DBus.Error.Spawn.… */
    return has_prefix(e->name, "org.freedesktop.DBus.Error.Spawn.") ? -EAGAIN : -EIO;
}

static void call_tell(UnitCall *c, int r, const char *error_name, const char *message) {
    bool kept = c->kept;

    c->told = true;
    if (c->tell)
        c->tell(c, r, error_name, message);
    else if (c->reply)
        c->reply(c->userdata, r, error_name, message);
    /* A kept call may be gone by now: its owner frees it. */
    if (!kept)
        unit_call_free(c);
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *unused);

static int call_send(UnitCall *c, sd_bus_message *m, uint64_t timeout_usec) {
    sd_bus_slot *slot = NULL;
    int r = sd_bus_call_async(c->bus, &slot, m, on_answer, c, timeout_usec);

    if (r < 0)
        return r;
    sd_bus_slot_unref(c->slot);
    c->slot = slot;
    sd_bus_message_ref(m);
    sd_bus_message_unref(c->message);
    c->message = m;
    c->timeout_usec = timeout_usec;
    return 0;
}

static int on_again(sd_event_source *source, uint64_t now, void *userdata) {
    UnitCall *c = userdata;
    int r = call_send(c, c->message, c->timeout_usec);

    if (r < 0)
        call_tell(c, r, NULL, NULL);
    return 0;
}

static int call_again(UnitCall *c) {
    sd_event *event = sd_bus_get_event(c->bus);

    c->again = sd_event_source_disable_unref(c->again);
    return event ? sd_event_add_time_relative(event, &c->again, CLOCK_MONOTONIC, AGAIN_USEC, 0, on_again, c) : -EOPNOTSUPP;
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
    UnitCall *c = userdata;
    const sd_bus_error *e = sd_bus_message_get_error(answer);
    int r;

    if (sd_bus_error_has_name(e, SD_BUS_ERROR_LIMITS_EXCEEDED) && call_again(c) >= 0)
        return 0;
    if (e && !(c->fine_error && streq(e->name, c->fine_error))) {
        bool answered = !sd_bus_error_has_names(e, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT, SD_BUS_ERROR_DISCONNECTED);
        call_tell(c, call_errno(e), answered ? e->name : NULL, answered ? e->message : NULL);
        return 0;
    }
    r = !e && c->read ? c->read(c, answer) : 0;
    if (r != CALL_GOES_ON)
        call_tell(c, r, NULL, NULL);
    return 0;
}

int call_start(UnitCall *call, sd_bus_message *m, uint64_t timeout_usec, UnitCall **ret_call) {
    _cleanup_(unit_call_freep) UnitCall *c = call;
    int r;

    r = call_send(c, m, timeout_usec);
    if (r < 0)
        return r;
    c->kept = ret_call;
    if (ret_call)
        *ret_call = c;
    TAKE_PTR(c);
    return 0;
}

int call_continue(UnitCall *c, sd_bus_message *m) {
    int r = call_send(c, m, CALL_TIMEOUT_USEC);

    return r < 0 ? r : CALL_GOES_ON;
}
