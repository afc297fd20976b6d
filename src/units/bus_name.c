/* One well-known name of this process on the bus; the order of steps at its end is the whole point of this file.
 *
 * It knows nothing of idleness: its owner decides when. */
#include "units/bus_name.h"

#include "basic/strings.h"

#include <errno.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

struct BusName {
    sd_bus *bus; /* borrowed */
    sd_bus_slot *lost;
    char *name;
    bool releasing;
    bool released;
};

BusName *bus_name_free(BusName *n) {
    if (!n)
        return NULL;
    sd_bus_slot_unref(n->lost);
    free(n->name);
    free(n);
    return NULL;
}

/* NameLost is for us alone and comes in order with the calls routed to us: whatever is behind it went elsewhere. */
static int on_lost(sd_bus_message *signal, void *userdata, sd_bus_error *unused) {
    BusName *n = userdata;
    const char *name;

    if (sd_bus_message_read(signal, "s", &name) >= 0 && streq(name, n->name))
        n->released = true;
    return 0;
}

int bus_name_new(sd_bus *bus, const char *name, BusName **ret) {
    _cleanup_(bus_name_freep) BusName *n = NULL;
    int r;

    n = calloc(1, sizeof(*n));
    if (!n)
        return -ENOMEM;
    n->bus = bus;
    n->name = strdup(name);
    if (!n->name)
        return -ENOMEM;
    r = sd_bus_match_signal(bus, &n->lost, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameLost", on_lost, n);
    if (r >= 0)
        r = sd_bus_request_name(bus, name, 0);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(n);
    return 0;
}

static int on_released(sd_bus_message *answer, void *userdata, sd_bus_error *unused) {
    BusName *n = userdata;

    /* Not ours any more, or the bus is gone: nothing will be routed here either way. */
    if (sd_bus_message_is_method_error(answer, NULL))
        n->released = true;
    return 0;
}

int bus_name_release(BusName *n) {
    if (n->releasing)
        return 0;
    n->releasing = true;
    /* Before the name goes: a caller who comes now makes systemd start us again instead of thinking that we run already. */
    (void) sd_notify(false, "STOPPING=1");
    return sd_bus_release_name_async(n->bus, NULL, n->name, on_released, n);
}

bool bus_name_is_released(const BusName *n) {
    return n->released;
}
