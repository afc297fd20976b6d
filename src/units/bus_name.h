/* Owning a bus name, and letting go of it without losing a call.
 *
 * A service that exits when idle must not exit between the daemon's delivery of a call and its own look at it. So: release the name, go on serving until
 * NameOwnerChanged says that the daemon routes no more calls here, then leave; the next caller gets a new process by activation. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct BusName BusName;
/* Requests the name. -EEXIST: somebody else has it. Never blocks on anything but the bus daemon. */
int bus_name_new(sd_bus *bus, const char *name, BusName **ret) _must_use_;
BusName *bus_name_free(BusName *n);
DEFINE_CLEANUP(BusName, bus_name_free)

/* Starts the release (sends STOPPING=1 to systemd first); more calls do nothing. */
int bus_name_release(BusName *n) _must_use_;
bool bus_name_is_released(const BusName *n); /* released, and every call routed here before was dispatched */
