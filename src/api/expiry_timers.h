/* The transient timers tempoftp-expire-<id>.timer: the nearest ends have one each, later ones get theirs when they come near. DESIGN "Expiry fails closed". */
#pragma once

#include "api/manager.h"

/* Whether the end of this life is among the nearest. */
bool expiry_timers_near(Manager *m, uint64_t life);
/* Asks systemd which timers there are; arms what is missing and takes away what is too much, one after the other. */
void expiry_timers_compare(Manager *m);
/* After a call that failed (broker or systemd were busy dying): compares soon again, a limited number of times in a row; then the sweep timer remains. */
void expiry_timers_mend(Manager *m);
