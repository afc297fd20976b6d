/* What the reader says to tempoftpd: org.tempoftp.Manager1, docs/INTERNALS.md. Each call waits for its answer; errors are logged at debug.
 *
 * -ESTALE: what was read stands otherwise in the database (an answer was lost, a backup was restored): ask again. -EINVAL: refused as malformed.
 * -ENOTCONN: the bus is gone. Anything else: tempoftpd is away for now. */
#pragma once

#include "model/log_position.h"
#include "xferlog/tally.h"

#include <systemd/sd-bus.h>

int report_ask(sd_bus *bus, LogPositions *ret) _must_use_;
/* Moves a position and counts, both or neither; before->inode 0: the file has had none. */
int report_move(sd_bus *bus, const LogPosition *before, const LogPosition *after, const Tally *t) _must_use_;
