/* The test of a destination: connect, log in, write a file, take it away. */
#pragma once

#include "export/remote.h"

#define PROBE_SECONDS 8 /* for all of it */

/* Blocks, for PROBE_SECONDS at most. */
void probe_run(const Line *line, ProbeResult *ret);
