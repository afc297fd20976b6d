/* What systemd has in mind with the unit that this program runs in. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

/* It is being stopped, not restarted. Waits for systemd's answers, which take no longer than a second each; false where there are none. */
bool own_unit_stops(sd_bus *bus);
