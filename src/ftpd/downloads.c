/* Sums up downloads by account, request and client, and tells tempoftpd about them.
 *
 * Two lists: rows that wait, and the batch in flight; a batch that fails goes back among those that wait. Both lie in memory that systemd keeps in the fd
 * store, as it does sessions: whatever ends a listener, the next one tells what it had not. It knows no connections. */
#include "ftpd/downloads.h"

#include "basic/fds.h"
#include "basic/log.h"
#include "basic/strings.h"
#include "ftpd/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#define CALL_TIMEOUT_USEC (30 * 1000000ULL)

typedef struct Row {
    char account[WIRE_USER_SIZE], id[WIRE_ID_SIZE], peer[ADDRESS_TEXT_MAX];
    uint64_t bytes, files;
    int64_t last;
} Row;

typedef struct Rows {
    size_t n;
    Row rows[DOWNLOAD_ROWS_MAX];
} Rows;

/* What is kept; its size stands for its layout, which a listener of another build may not share. */
typedef struct Kept {
    char version[64];
    Rows rows[2];
} Kept;

struct Downloads {
    Kept *kept;
    sd_bus *bus;
    sd_bus_slot *slot; /* the call in flight */
    uint64_t due_ms;
    uint64_t retry_ms; /* the next wait after a failure */
    uint64_t now_ms;   /* of the last turn: answers come between turns */
    Rows *waiting, *flying;
};

static void log_row(const Row *row) {
    LogContext about = { .request = row->id, .account = row->account, .peer = row->peer };
    log_line(LOG_ERR, &about, "Cannot count %" PRIu64 " bytes in %" PRIu64 " files downloaded", row->bytes, row->files);
}

static int add_row(Rows *to, const Row *row) {
    for (size_t i = 0; i < to->n; i++) {
        Row *known = &to->rows[i];
        if (streq(known->account, row->account) && streq(known->id, row->id) && streq(known->peer, row->peer)) {
            known->bytes += row->bytes;
            known->files += row->files;
            if (row->last > known->last)
                known->last = row->last;
            return 0;
        }
    }
    if (to->n == ELEMENTS(to->rows))
        return -E2BIG;
    to->rows[to->n] = *row;
    atomic_signal_fence(memory_order_release); /* whoever is killed between these two lines has not counted it */
    to->n++;
    return 0;
}

/* ---- kept from listener to listener ---- */

static Kept *map(int fd) {
    void *p = mmap(NULL, sizeof(Kept), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* NULL: nothing that this build can read. */
static Kept *take_kept(int fd) {
    struct stat st;
    Kept *k = fd >= 0 && fstat(fd, &st) >= 0 && st.st_size == sizeof(Kept) ? map(fd) : NULL;

    if (k && !streq(k->version, TEMPOFTP_VERSION)) {
        munmap(k, sizeof(*k));
        return NULL;
    }
    return k;
}

static int make_kept(Kept **ret) {
    _cleanup_close_ int fd = memfd_create("downloads", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, sizeof(Kept)) < 0 || !(*ret = map(fd)))
        return -errno;
    snprintf((*ret)->version, sizeof((*ret)->version), "%s", TEMPOFTP_VERSION);
    int r = sd_notify(false, "FDSTOREREMOVE=1\nFDNAME=" DOWNLOADS_FD_NAME); /* another build's */
    if (r >= 0)
        r = sd_pid_notify_with_fds(0, false, "FDSTORE=1\nFDNAME=" DOWNLOADS_FD_NAME, &fd, 1);
    if (r < 0)
        log_errno(r, "systemd may not keep what is downloaded; what tempoftpd has not heard when this process ends is not counted");
    return 0;
}

/* What flew waits again. */
static void put_back(Downloads *d) {
    for (size_t i = 0; i < d->flying->n; i++)
        if (add_row(d->waiting, &d->flying->rows[i]) < 0)
            log_row(&d->flying->rows[i]);
    d->flying->n = 0;
}

int downloads_new(sd_bus *bus, int kept_fd, Downloads **ret) {
    _cleanup_(downloads_freep) Downloads *d = calloc(1, sizeof(*d));
    _cleanup_close_ _unused_ int owned = kept_fd;

    if (!d)
        return -ENOMEM;
    d->bus = sd_bus_ref(bus);
    d->retry_ms = DOWNLOADS_DELAY_MS;
    d->kept = take_kept(owned);
    int r = d->kept ? 0 : make_kept(&d->kept);
    if (r < 0)
        return r;
    d->waiting = &d->kept->rows[0];
    d->flying = &d->kept->rows[1];
    put_back(d);
    d->due_ms = d->waiting->n > 0 ? 0 : UINT64_MAX;
    *ret = TAKE_PTR(d);
    return 0;
}

Downloads *downloads_free(Downloads *d) {
    if (!d)
        return NULL;
    sd_bus_slot_unref(d->slot);
    sd_bus_unref(d->bus);
    if (d->kept)
        munmap(d->kept, sizeof(*d->kept));
    free(d);
    return NULL;
}

int downloads_add(Downloads *d, const char *account, const char *id, const char *peer, uint64_t bytes, bool whole, int64_t utc,
                  uint64_t now_ms) {
    Row row = { .bytes = bytes, .files = whole, .last = utc };

    snprintf(row.account, sizeof(row.account), "%s", account);
    snprintf(row.id, sizeof(row.id), "%s", id);
    snprintf(row.peer, sizeof(row.peer), "%s", peer);
    int r = add_row(d->waiting, &row);
    if (r >= 0 && d->due_ms == UINT64_MAX && !d->slot)
        d->due_ms = now_ms + DOWNLOADS_DELAY_MS;
    return r;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
    Downloads *d = userdata;

    sd_bus_slot_unref(d->slot);
    d->slot = NULL;
    if (!sd_bus_message_is_method_error(reply, NULL)) {
        d->flying->n = 0;
        d->retry_ms = DOWNLOADS_DELAY_MS;
    } else {
        const sd_bus_error *e = sd_bus_message_get_error(reply);
        log_line(LOG_WARNING, NULL, "Cannot tell tempoftpd about %zu downloads, trying again: %s", d->flying->n,
                 e->message ? e->message : e->name);
        put_back(d);
        d->retry_ms = d->retry_ms * 2 > DOWNLOADS_RETRY_MAX_MS ? DOWNLOADS_RETRY_MAX_MS : d->retry_ms * 2;
    }
    d->due_ms = d->waiting->n > 0 ? d->now_ms + d->retry_ms : UINT64_MAX;
    return 0;
}

static int send_batch(Downloads *d, sd_bus_message *m) {
    int r = sd_bus_message_open_container(m, 'a', "(sssttt)");
    for (size_t i = 0; i < d->waiting->n && r >= 0; i++) {
        const Row *row = &d->waiting->rows[i];
        r = sd_bus_message_append(m, "(sssttt)", row->account, row->id, row->peer, row->bytes, row->files, (uint64_t) row->last);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_call_async(d->bus, &d->slot, m, on_answer, d, CALL_TIMEOUT_USEC);
}

void downloads_turn(Downloads *d, uint64_t now_ms, bool force) {
    sd_bus_message *m = NULL;

    d->now_ms = now_ms;
    if (d->slot || d->waiting->n == 0 || (!force && now_ms < d->due_ms))
        return;
    int r = sd_bus_message_new_method_call(d->bus, &m, "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1",
                                           "Downloads");
    if (r >= 0)
        r = send_batch(d, m);
    sd_bus_message_unref(m);
    if (r < 0) {
        log_errno(r, "Cannot send downloads, trying again");
        d->due_ms = now_ms + DOWNLOADS_RETRY_MAX_MS;
        return;
    }
    Rows *sent = d->waiting;
    d->waiting = d->flying;
    d->flying = sent;
    d->due_ms = UINT64_MAX;
}

uint64_t downloads_deadline(const Downloads *d) {
    return d->due_ms;
}

bool downloads_is_empty(const Downloads *d) {
    return d->waiting->n == 0 && d->flying->n == 0;
}

void downloads_log_unsent(const Downloads *d) {
    for (size_t i = 0; i < d->waiting->n; i++)
        log_row(&d->waiting->rows[i]);
    for (size_t i = 0; i < d->flying->n; i++)
        log_row(&d->flying->rows[i]);
}
