/* Downloads, as they are reported over the bus: by our FTP server in sums, or by tempoftp-xferlog as what it read in Pure-FTPd's transfer log.
 *
 * Which life of an id a download belongs to is told by its time: an id that is used again inherits nothing. What comes out of a log is counted in one
 * transaction with the position up to which it was read, so that whoever is killed in between, nothing is counted twice and nothing is left out. */
#include "api/bus.h"
#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/log_position.h"
#include "model/messages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define DOWNLOAD_ROWS_MAX 4096
#define DAY_SECONDS 86400
#define POSITIONS_NOTE "transfer log"
#define LOGGED_MAX 32 /* lines in the journal about one batch: a long log must not drown it */

typedef struct DownloadRow {
    char account[ACCOUNT_NAME_MAX + 1], id[ID_MAX + 1], address[ADDRESS_TEXT_MAX];
    uint64_t bytes, files;
    int64_t last;
    bool counted; /* once its group (compare_rows) is counted, the first row of it says so and holds the sums */
} DownloadRow;

typedef struct DownloadBatch {
    Manager *m;
    sd_bus_message *call;
    bool behind; /* told of just now, by a clock that is behind what became ready meanwhile: no time tells of an earlier life */
    bool logged; /* out of a log: */
    LogPosition before, after;
    DownloadRow *rows;
    size_t n;
} DownloadBatch;

/* ---- on the writer thread ---- */

/* Groups stand side by side: rows of one request, client and day. */
static int compare_rows(const void *a, const void *b) {
    const DownloadRow *x = a, *y = b;
    int r = strcmp(x->id, y->id);

    if (r == 0)
        r = strcmp(x->account, y->account);
    if (r == 0)
        r = strcmp(x->address, y->address);
    return r != 0 ? r : x->last < y->last ? -1 : x->last > y->last;
}

static bool same_request(const DownloadRow *a, const DownloadRow *b) {
    return streq(a->id, b->id) && streq(a->account, b->account);
}

static bool same_group(const DownloadRow *a, const DownloadRow *b) {
    return same_request(a, b) && streq(a->address, b->address) && a->last / DAY_SECONDS == b->last / DAY_SECONDS;
}

/* The group that begins at `first`; *ret_next is behind it. */
static int count_group(StoreTx *tx, const Request *request, DownloadBatch *batch, size_t first, size_t *ret_next) {
    DownloadRow sum = batch->rows[first];
    size_t i;

    sum.bytes = sum.files = 0;
    for (i = first; i < batch->n && same_group(&batch->rows[first], &batch->rows[i]); i++) {
        const DownloadRow *row = &batch->rows[i];
        if (row->last < request->ready && !batch->behind)
            continue; /* of an earlier life */
        sum.counted = true;
        sum.bytes += row->bytes;
        sum.files += row->files;
        sum.last = row->last;
    }
    batch->rows[first] = sum;
    *ret_next = i;
    return sum.counted ? tx_download_add(tx, request->life, sum.address, sum.bytes, sum.files, sum.last) : 0;
}

/* All rows of one request, from `first` on. */
static int count_request(StoreTx *tx, DownloadBatch *batch, size_t first, size_t *ret_next) {
    _cleanup_request_ Request request = { 0 };
    const DownloadRow key = batch->rows[first];
    size_t i = first;

    int r = tx_get(tx, key.id, &request);
    if (r < 0 && r != -ENOENT)
        return r;
    bool ours = r >= 0 && request.ready > 0 && streq(request.account, key.account);
    r = 0;
    while (r >= 0 && i < batch->n && same_request(&key, &batch->rows[i]))
        if (ours)
            r = count_group(tx, &request, batch, i, &i);
        else
            i++; /* gone meanwhile, or not the account's */
    *ret_next = i;
    return r;
}

static int read_positions(const char *note, LogPositions *ret) {
    int r = log_positions_parse(note, ret);

    if (r == -EINVAL) { /* it isn't begun anew: that would count everything once more */
        LogContext about = { .message_id = MESSAGE_ID_TRANSFER_LOG };
        log_line(LOG_ERR, &about, "The note \"" POSITIONS_NOTE "\" in the state database is damaged: downloads through Pure-FTPd are not counted");
        r = -EBADMSG;
    }
    return r;
}

static int move_position(StoreTx *tx, const DownloadBatch *batch) {
    _cleanup_free_ char *note = NULL;
    char text[LOG_POSITIONS_TEXT_SIZE];
    LogPositions p = { 0 };

    int r = tx_note(tx, POSITIONS_NOTE, &note);
    if (r >= 0)
        r = read_positions(note, &p);
    if (r >= 0 || r == -ENOENT)
        r = log_positions_move(&p, &batch->before, &batch->after);
    if (r < 0)
        return r;
    log_positions_format(&p, text);
    return tx_note_put(tx, POSITIONS_NOTE, text);
}

static int downloads_job(StoreTx *tx, void *userdata) {
    DownloadBatch *batch = userdata;
    int r = batch->logged ? move_position(tx, batch) : 0;

    for (size_t i = 0; r >= 0 && i < batch->n;)
        r = count_request(tx, batch, i, &i);
    return r;
}

/* ---- on the loop ---- */

/* The FTP server writes a line about each transfer itself; Pure-FTPd's own journal knows no request. */
static void log_counted(const DownloadBatch *batch) {
    size_t counted = 0;

    for (size_t i = 0; i < batch->n; i++) {
        const DownloadRow *row = &batch->rows[i];
        char bytes[64];
        LogContext about = { .request = row->id, .account = row->account, .peer = row->address, .message_id = MESSAGE_ID_DOWNLOADED, .extra = { bytes } };

        if (!row->counted || ++counted > LOGGED_MAX)
            continue;
        snprintf(bytes, sizeof(bytes), "TEMPOFTP_BYTES=%" PRIu64, row->bytes);
        log_line(LOG_INFO, &about, "%s: %" PRIu64 " bytes in %" PRIu64 " downloads from %s", row->account, row->bytes, row->files, row->address);
    }
    if (counted > LOGGED_MAX)
        log_info("Downloads of %zu more clients were counted", counted - LOGGED_MAX);
}

static void downloads_done(void *userdata, int r) {
    DownloadBatch *batch = userdata;

    if (r >= 0 && batch->logged)
        log_counted(batch);
    bus_answer(batch->call, r, NULL);
    manager_release(batch->m);
    free(batch->rows);
    free(batch);
}

static bool fits(const char *text, size_t size) {
    return strlen(text) < size;
}

static int read_rows(DownloadBatch *batch, sd_bus_message *call) {
    const char *account, *id, *address;
    uint64_t bytes, files, last;
    size_t allocated = 0;
    int r = sd_bus_message_enter_container(call, 'a', "(sssttt)");

    while (r >= 0 && (r = sd_bus_message_read(call, "(sssttt)", &account, &id, &address, &bytes, &files, &last)) > 0) {
        if (batch->n == DOWNLOAD_ROWS_MAX)
            return -E2BIG;
        if (bytes > INT64_MAX / DOWNLOAD_ROWS_MAX || files > INT64_MAX / DOWNLOAD_ROWS_MAX || last > INT64_MAX)
            continue; /* nobody has fetched so much: a session that was taken over says so, and what others fetched counts all the same */
        if (!id_is_valid(id) || !fits(account, sizeof(batch->rows->account)) || !fits(address, sizeof(batch->rows->address)))
            continue; /* no request of ours */
        if (batch->n == allocated) {
            allocated = allocated > 0 ? 2 * allocated : 64;
            DownloadRow *rows = reallocarray(batch->rows, allocated, sizeof(*rows));
            if (!rows)
                return -ENOMEM;
            batch->rows = rows;
        }
        DownloadRow *row = &batch->rows[batch->n++];
        *row = (DownloadRow) { .bytes = bytes, .files = files, .last = (int64_t) last };
        strcpy(row->account, account);
        strcpy(row->id, id);
        strcpy(row->address, address);
    }
    return r;
}

static DownloadBatch *batch_new(Manager *m, sd_bus_message *call) {
    DownloadBatch *batch = calloc(1, sizeof(*batch));

    if (!batch)
        return NULL;
    batch->m = m;
    batch->call = sd_bus_message_ref(call);
    manager_hold(m);
    return batch;
}

/* r: of reading the call. */
static int batch_run(DownloadBatch *batch, int r) {
    if (batch->n > 0)
        qsort(batch->rows, batch->n, sizeof(batch->rows[0]), compare_rows);
    if (r >= 0 && (batch->n > 0 || batch->logged))
        r = store_write(batch->m->store, downloads_job, downloads_done, batch);
    else {
        downloads_done(batch, r);
        return 1;
    }
    if (r < 0)
        downloads_done(batch, r);
    return 1;
}

int downloads_told(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    DownloadBatch *batch = batch_new(userdata, call);

    if (!batch)
        return -ENOMEM;
    batch->behind = utc_now() < manager_now(userdata); /* model/clock.h: requests are dated by the highest time that was seen */
    return batch_run(batch, read_rows(batch, call));
}

static int read_position(sd_bus_message *call, LogPosition *ret) {
    const char *digest;

    int r = sd_bus_message_read(call, "(tttts)", &ret->device, &ret->inode, &ret->offset, &ret->newest, &digest);
    if (r < 0)
        return r;
    if (!fits(digest, sizeof(ret->digest)))
        return -EINVAL;
    strcpy(ret->digest, digest);
    return 0;
}

int downloads_logged(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    DownloadBatch *batch = batch_new(userdata, call);

    if (!batch)
        return -ENOMEM;
    batch->logged = true;
    int r = read_position(call, &batch->before);
    if (r >= 0)
        r = read_position(call, &batch->after);
    if (r >= 0 && (!log_position_is_valid(&batch->after) || (batch->before.inode > 0 && !log_position_is_valid(&batch->before))))
        r = -EINVAL;
    return batch_run(batch, r >= 0 ? read_rows(batch, call) : r);
}

static int append_positions(sd_bus_message *answer, const LogPositions *p) {
    int r = sd_bus_message_open_container(answer, 'a', "(tttts)");

    for (size_t i = 0; r >= 0 && i < p->n; i++)
        r = sd_bus_message_append(answer, "(tttts)", p->at[i].device, p->at[i].inode, p->at[i].offset, p->at[i].newest, p->at[i].digest);
    return r < 0 ? r : sd_bus_message_close_container(answer);
}

int downloads_positions(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    Manager *m = userdata;
    _cleanup_free_ char *note = NULL;
    sd_bus_message *answer = NULL;
    LogPositions p = { 0 };

    int r = store_note(m->store, POSITIONS_NOTE, &note);
    if (r >= 0)
        r = read_positions(note, &p);
    if (r == -ENOENT)
        r = 0;
    if (r < 0) {
        bus_answer(sd_bus_message_ref(call), r, NULL);
        return 1;
    }
    r = sd_bus_message_new_method_return(call, &answer);
    if (r >= 0)
        r = append_positions(answer, &p);
    if (r >= 0)
        r = sd_bus_send(NULL, answer, NULL);
    sd_bus_message_unref(answer);
    return r < 0 ? r : 1;
}
