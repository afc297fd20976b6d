/* A small worker pool for what is slow by design (Argon2id, name look-ups, statvfs of a dead mount, a remote back end), so that the loop never is.
 *
 * Errors: -EAGAIN when as many jobs wait as the pool was made for. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <systemd/sd-event.h>

#define POOL_QUEUE_MAX 256 /* the usual line */

typedef struct Pool Pool;
typedef void (*PoolRun)(void *job);  /* on a worker thread */
typedef void (*PoolDone)(void *job); /* on the loop, later */

/* niceness: how far its threads step back, see precedence.h. */
int pool_new(sd_event *event, unsigned threads, unsigned queue_max, int niceness, Pool **ret) _must_use_;
int pool_submit(Pool *p, PoolRun run, PoolDone done, void *job) _must_use_;
unsigned pool_queue_length(Pool *p); /* jobs that no thread has taken yet */
bool pool_is_idle(Pool *p);
/* Waits for the jobs that run; queued ones are dropped without `done`. */
Pool *pool_free(Pool *p);
