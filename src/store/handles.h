/* What Store and StoreTx are, for the files of this room. */
#pragma once

#include "store/changes.h"
#include "store/connection.h"
#include "store/store.h"
#include "store/writer.h"

struct Store {
    char *path;
    int file; /* holds the lock: one process per database. Closed last: closing any fd of the file drops SQLite's own locks */
    Writer *writer;
    Connection *reader; /* the loop thread's */
};

struct StoreTx {
    Connection *connection; /* the writer's */
    Changes *changes;       /* what the job alters; rows of `requests` are noted by the writer itself */
    size_t rates;           /* rows of tx_rate_put() so far */
};

/* One row through a caller's eyes: what REQUEST_COLUMNS gave. */
int request_read(const Query *q, Request *ret) _must_use_;
/* Appends the next event of that life. -EDQUOT: STORE_EVENTS_MAX reached, unless `always`. */
int event_append(Connection *c, uint64_t life, State state, const char *text, const Actor *who, bool always) _must_use_;
/* Every destination of a group. domain: capitals make no difference. */
int tx_list_group(StoreTx *tx, const char *group, bool domain, DestinationWalk walk, void *userdata) _must_use_;
int tx_destination_default(StoreTx *tx, Destination *ret) _must_use_; /* -ENOENT */
