/* What was downloaded, until tempoftpd knows it: rows that are summed here and told in batches. org.tempoftp.Manager1.Downloads.
 *
 * Nothing is dropped while tempoftpd is away: rows wait and the call is made again, by the next listener too. At least once: a batch whose answer was lost
 * is told twice. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define DOWNLOAD_ROWS_MAX 1024
#define DOWNLOADS_DELAY_MS 500
#define DOWNLOADS_RETRY_MAX_MS 10000

typedef struct Downloads Downloads;

/* kept_fd: what the last listener left in the fd store under this name, taken; -EBADF or another negative number: nothing. */
#define DOWNLOADS_FD_NAME "downloads"
int downloads_new(sd_bus *bus, int kept_fd, Downloads **ret) _must_use_;
Downloads *downloads_free(Downloads *d);
DEFINE_CLEANUP(Downloads, downloads_free)

/* One RETR that moved something. -E2BIG: too many rows wait (the journal has it). */
int downloads_add(Downloads *d, const char *account, const char *id, const char *peer, uint64_t bytes, bool whole, int64_t utc,
                  uint64_t now_ms) _must_use_;
/* When something is to be done: monotonic ms, UINT64_MAX for never. */
uint64_t downloads_deadline(const Downloads *d);
/* Sends what is due; `force`: whatever waits. */
void downloads_turn(Downloads *d, uint64_t now_ms, bool force);
bool downloads_is_empty(const Downloads *d);
/* For the last moment: what could not be told goes to the journal. */
void downloads_log_unsent(const Downloads *d);
