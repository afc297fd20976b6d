/* The two runs of rsync over an open connection. */
#pragma once

#include "model/progress.h"
#include "transfer/connection.h"

/* Both: 0; -ECONNABORTED with *ret_failure set; other errors are our own. staging: absolute, for rsync's jail.
 *
 * copy_size() is back as soon as the figures are there; *rsync, which the caller ends, may still be saying goodbye. */
int copy_size(const Options *o, Connection *c, const char *staging, Child *rsync, RsyncStats *ret, Failure *ret_failure) _must_use_;
/* Shows its progress in STATUS=, from `there` on: bytes that an earlier try left. *ret_moved: it has copied something. */
int copy_run(const Options *o, Connection *c, const char *staging, const RsyncStats *size, uint64_t there, bool *ret_moved,
             Failure *ret_failure) _must_use_;
