/* GET /metrics. Nothing is counted for it: sums come from the state database's own (store_totals()), counters from memory; only the data path's file system
 * is asked, on the pool, as a dead mount must not hold the loop.
 *
 * A scrape is no reason to stay: it does not count as activity (manager.c), and its connection ends with it. */
#include "api/exposition.h"
#include "api/folders.h"
#include "api/metrics.h"
#include "api/reply.h"
#include "api/resources.h"
#include "api/server.h"
#include "api/transfers.h"

#include <errno.h>
#include <stdio.h>

typedef struct Scrape {
    Call *call;
    int space;
    uint64_t space_free, space_total;
} Scrape;

static Scrape *scrape_free(Scrape *s) {
    if (!s)
        return NULL;
    call_done(s->call);
    free(s);
    return NULL;
}
DEFINE_CLEANUP(Scrape, scrape_free)

/* ---- families ---- */

static void write_gauge(Buffer *to, const char *name, const char *help, uint64_t value) {
    exposition_family(to, name, "gauge", help);
    exposition_integer(to, name, "", NULL, value);
}

static void write_counter(Buffer *to, const char *name, const char *help, uint64_t value) {
    exposition_family(to, name, "counter", help);
    exposition_integer(to, name, "", NULL, value);
}

static void write_requests(const StoreTotals *t, Buffer *to) {
    exposition_family(to, "tempoftp_requests", "gauge", "Requests in each state now");
    for (State s = 0; s < STATE_MAX; s++)
        exposition_integer(to, "tempoftp_requests", "", LABELS({ "state", state_name(s) }), t->requests[s]);
    write_counter(to, "tempoftp_requests_received_total", "Requests that were accepted", t->received);
    exposition_family(to, "tempoftp_transfers_total", "counter", "Requests that became ready, or failed before");
    exposition_integer(to, "tempoftp_transfers_total", "", LABELS({ "result", "listo" }), t->transfers_done);
    exposition_integer(to, "tempoftp_transfers_total", "", LABELS({ "result", "error" }), t->transfers_failed);
    write_counter(to, "tempoftp_copied_bytes_total", "Size of the requests that became ready", t->copied_bytes);
    write_counter(to, "tempoftp_copied_files_total", "Files of the requests that became ready", t->copied_files);
    write_counter(to, "tempoftp_downloaded_bytes_total", "Bytes that were downloaded over FTP", t->downloaded_bytes);
}

static void write_exports(const StoreTotals *t, Buffer *to) {
    exposition_family(to, "tempoftp_exports", "gauge", "Exports in each state now");
    for (ExportState s = 0; s < EXPORT_STATE_MAX; s++)
        exposition_integer(to, "tempoftp_exports", "", LABELS({ "state", export_state_name(s) }), t->exports[s]);
    exposition_family(to, "tempoftp_exports_total", "counter", "Exports that have ended by themselves");
    exposition_integer(to, "tempoftp_exports_total", "", LABELS({ "result", "listo" }), t->exports_done);
    exposition_integer(to, "tempoftp_exports_total", "", LABELS({ "result", "error" }), t->exports_failed);
    write_counter(to, "tempoftp_uploaded_bytes_total", "Bytes of the exports that ended well", t->uploaded_bytes);
}

static void write_queues(Manager *m, const StoreTotals *t, Buffer *to) {
    const struct {
        const char *name;
        uint64_t length;
    } queues[] = {
        { "transfers", t->requests[STATE_RECIBIDO] },
        { "exports", t->exports[EXPORT_PENDIENTE] },
        { "passwords", pool_queue_length(m->hasher) },
        { "jobs", pool_queue_length(m->pool) },
        { "writes", store_queue_length(m->store) },
        { "removals", t->tasks },
        { "accounts", t->access_tasks },
    };

    exposition_family(to, "tempoftp_queue_length", "gauge",
                      "What waits: requests and exports for a place, passwords for the hasher, jobs for a thread, writes for the disk, data to be removed, "
                      "accounts that their back end is to be told about");
    for (size_t i = 0; i < ELEMENTS(queues); i++)
        exposition_integer(to, "tempoftp_queue_length", "", LABELS({ "queue", queues[i].name }), queues[i].length);
}

static void write_now(const Scrape *s, Buffer *to) {
    Manager *m = s->call->m;

    exposition_family(to, "tempoftp_build_info", "gauge", "Version of the service");
    exposition_integer(to, "tempoftp_build_info", "", LABELS({ "version", TEMPOFTP_VERSION }), 1);
    write_gauge(to, "process_start_time_seconds", "When this process started, in Unix time; it leaves when it has nothing to do", (uint64_t) m->started_utc);
    write_gauge(to, "tempoftp_http_connections", "Open connections to the API", server_connections(m->server));
    write_counter(to, "tempoftp_tls_handshakes_failed_total", "TLS handshakes with the API that came to nothing since this process started",
                  server_failed_handshakes(m->server));
    write_gauge(to, "tempoftp_transfers_running", "Copies under way", transfers_count(m->transfers) - transfers_waiting(m->transfers));
    write_gauge(to, "tempoftp_transfers_max", "Copies that may run at once (TEMPOFTP_MAX_TRASLADOS)", (uint64_t) m->settings->max_transfers);
    write_gauge(to, "tempoftp_data_reserved_bytes", "What copies under way may still write", transfers_reserved(m->transfers, 0));
    if (s->space < 0)
        return;
    write_gauge(to, "tempoftp_data_free_bytes", "Free space of the data path", s->space_free);
    write_gauge(to, "tempoftp_data_size_bytes", "Size of the data path's file system", s->space_total);
}

/* ---- the call ---- */

static void answer(Scrape *s) {
    _cleanup_buffer_ Buffer b = { 0 };
    Manager *m = s->call->m;
    StoreTotals totals;

    int r = store_totals(m->store, &totals);
    if (r < 0) {
        reply_errno(s->call, r);
        return;
    }
    write_now(s, &b);
    write_requests(&totals, &b);
    write_exports(&totals, &b);
    write_queues(m, &totals, &b);
    metrics_write(m->metrics, &b);
    reply_text(s->call, 200, EXPOSITION_TYPE, &b);
}

static void taken_off(void *userdata, int r) {
    _cleanup_(scrape_freep) Scrape *s = userdata;

    if (r < 0) {
        reply_errno(s->call, r); /* rather none than counters that go back after a kill */
        return;
    }
    metrics_taken_off(s->call->m->metrics);
    answer(s);
}

static void space_run(void *userdata) {
    Scrape *s = userdata;
    s->space = folders_space(s->call->m->data_fd, &s->space_free, &s->space_total);
}

static void space_done(void *userdata) {
    _cleanup_(scrape_freep) Scrape *s = userdata;
    Manager *m = s->call->m;

    if (!metrics_are_on_disk(m->metrics)) {
        answer(s);
        return;
    }
    int r = store_write(m->store, metrics_take_off_job, taken_off, s);
    Scrape *written = TAKE_PTR(s);
    if (r < 0)
        taken_off(written, r);
}

static void on_scrape_end(void *p) {
    (*(Manager **) p)->scrapes--;
}

/* For as long as libh2o has the request. */
static void mark_scrape(Call *c) {
    Manager **mark = h2o_mem_alloc_shared(&c->req->pool, sizeof(*mark), on_scrape_end);

    *mark = c->m;
    c->m->scrapes++;
    c->req->http1_is_persistent = 0;
}

void metrics_get(Call *c) {
    Manager *m = c->m;

    mark_scrape(c);
    _cleanup_(scrape_freep) Scrape *s = CALL_LATER(Scrape, c);
    if (!s)
        return;
    if (manager_is_simulator(m)) {
        s->space_free = s->space_total = m->settings->sim_data_free_bytes;
        space_done(TAKE_PTR(s));
        return;
    }
    int r = pool_submit(m->pool, space_run, space_done, s);
    if (r < 0)
        reply_errno(s->call, r);
    else
        TAKE_PTR(s);
}
