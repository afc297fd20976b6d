/* The one thread that writes: a bounded queue in, groups of jobs committed together, a list of
 * what is done out. */
#pragma once

#include "store/connection.h"
#include "store/store.h"

typedef struct Writer Writer;

/* Takes the connection, starts the thread. */
int writer_new(Connection *connection, Writer **ret) _must_use_;
/* Commits what is queued, ends the thread, forgets what was not dispatched. */
Writer *writer_free(Writer *w);
DEFINE_CLEANUP(Writer, writer_free)

/* From then on: what each commit altered is told in writer_dispatch(), before the callbacks. */
void writer_on_change(Writer *w, StoreChanged changed, void *userdata);
int writer_submit(Writer *w, StoreJob run, StoreDone done, void *job) _must_use_;
int writer_submit_wait(Writer *w, StoreJob run, void *job) _must_use_;
int writer_fd(const Writer *w);
/* Runs the callbacks of what was done when it was called. */
void writer_dispatch(Writer *w);
bool writer_is_idle(const Writer *w);
size_t writer_pending(const Writer *w); /* submitted, callback not yet returned */
void writer_statistics(const Writer *w, StoreStatistics *ret);
/* For the reader's connection; lives as long as the writer. */
const News *writer_news(const Writer *w);
