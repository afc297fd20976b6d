/* POST /api/destinations/{id}/test: a sandboxed unit connects, logs in, writes and removes a file, and says at which step it failed; here its words become an
 * answer, within 10 seconds whatever happens. The first key that an SFTP server shows is written down for an operator to accept; no password goes there before.
 *
 * The simulator asks nobody: names that end in ".invalid" fail, all others are there. */
#include "api/export_host.h"
#include "api/reply.h"
#include "api/resources.h"
#include "basic/strings.h"
#include "crypto/digest.h"
#include "model/texts.h"
#include "units/units.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#define PROBE_PATIENCE_MS 10000
#define MESSAGE_SIZE 768

typedef struct Probe Probe;

/* The answer is owed when this fires, if the probe has not ended before. */
typedef struct ProbeClock {
    Probe *probe; /* NULL: it has ended */
} ProbeClock;

struct Probe {
    Manager *m;
    Call *call; /* NULL: answered already */
    ProbeClock *clock;
    uint64_t *place; /* among Manager.probing */
    Destination destination;
    HostLookup lookup;
    int output; /* a file in memory that the unit writes its words into */
    ProbeResult result;
};

static void answer(Probe *p) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    const ProbeResult *result = &p->result;
    char text[MESSAGE_SIZE];

    if (!p->call)
        return;
    if (result->ok)
        snprintf(text, sizeof(text), TEXT_DESTINATION_WORKS, p->destination.type == DESTINATION_SFTP ? "SFTP" : "FTP");
    else
        export_cause_message(result->cause, result->host_key[0] ? result->host_key : result->detail, text, sizeof(text));
    json_object_open(&w, NULL);
    json_bool(&w, "success", result->ok);
    json_string(&w, "message", text);
    if (p->destination.type == DESTINATION_SFTP)
        json_string(&w, "host_key_seen", result->host_key[0] ? result->host_key : NULL);
    json_object_close(&w);
    reply_json(p->call, 200, &b);
    call_done(TAKE_PTR(p->call));
}

static void probe_end(Probe *p) {
    answer(p);
    if (p->clock)
        p->clock->probe = NULL;
    *p->place = 0;
    manager_release(p->m);
    host_lookup_done(&p->lookup);
    destination_done(&p->destination);
    cleanup_close_(&p->output);
    free(p);
}

static void probe_fail(Probe *p, ExportCause cause, const char *detail) {
    p->result = (ProbeResult) { .cause = cause };
    snprintf(p->result.detail, sizeof(p->result.detail), "%.*s", PROBE_DETAIL_SIZE - 1, detail ? detail : "");
    probe_end(p);
}

static void probe_is_late(Manager *m, void *userdata) {
    ProbeClock *clock = userdata;
    Probe *p = clock->probe;

    free(clock);
    if (!p)
        return;
    p->clock = NULL;
    p->result = (ProbeResult) { .cause = EXPORT_TIMEOUT };
    answer(p); /* it goes on by itself, and what it finds out about the key is still kept */
}

/* ---- the end ---- */

static int seen_job(StoreTx *tx, void *userdata) {
    const Probe *p = userdata;
    return tx_destination_seen(tx, p->destination.id, p->destination.host, p->destination.port, p->result.host_key);
}

static void seen(void *userdata, int r) {
    Probe *p = userdata;

    if (r < 0)
        log_errno(r, "Cannot write down the host key of destination '%s'", p->destination.name);
    probe_end(p);
}

static void probe_found(Probe *p) {
    int r = 0;

    if (!p->result.host_key[0] || streq(p->result.host_key, p->destination.seen_key)) {
        probe_end(p);
        return;
    }
    log_notice("Destination '%s': %s port %u shows the host key %s", p->destination.name, p->destination.host, (unsigned) p->destination.port, p->result.host_key);
    r = store_write(p->m->store, seen_job, seen, p);
    if (r < 0)
        seen(p, r);
}

/* The unit has ended; what it said was written by whoever it had become. */
static int read_result(Probe *p) {
    char bytes[PROBE_RESULT_SIZE];
    size_t got = 0;
    ssize_t n = 1;

    while (n > 0 && got < sizeof(bytes)) {
        n = read_at(p->output, bytes + got, sizeof(bytes) - got, got);
        if (n < 0)
            return (int) n;
        got += (size_t) n;
    }
    return probe_result_parse(bytes, got, &p->result);
}

static void on_tested(void *userdata, int r, const char *error_name, const char *message) {
    Probe *p = userdata;

    if (r >= 0)
        r = read_result(p);
    if (r >= 0)
        probe_found(p);
    else {
        log_warning("The test of destination '%s' could not be made: %s", p->destination.name, message ? message : strerror(-r));
        probe_fail(p, EXPORT_INTERNAL, NULL);
    }
}

/* ---- the way there ---- */

static void ask_broker(Probe *p) {
    _cleanup_close_ int order = export_order_pipe(p->m, &p->destination, &p->lookup, NULL);

    if (order < 0) {
        probe_fail(p, order == -EBADMSG ? EXPORT_SECRET : EXPORT_INTERNAL, NULL);
        return;
    }
    p->output = memfd_create("answer", MFD_CLOEXEC);
    int r = p->output < 0 ? -errno : broker_test_export(p->m->bus, p->destination.id, p->lookup.addresses, order, p->output, on_tested, p, NULL);
    if (r < 0)
        on_tested(p, r, NULL, NULL);
}

static void look_up(void *userdata) {
    Probe *p = userdata;
    host_lookup_run(&p->lookup);
}

static void looked_up(void *userdata) {
    Probe *p = userdata;

    if (!p->lookup.ok)
        probe_fail(p, p->lookup.cause, p->lookup.detail);
    else if (p->call)
        ask_broker(p);
    else
        probe_end(p); /* too late: nobody waits any more */
}

/* A key that depends on the server's place alone, in the shape of a real one. */
static void simulate_key(const Destination *d, char ret[static HOST_KEY_SIZE]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t digest[SHA256_SIZE];
    char port[8];
    Sha256 h;

    snprintf(port, sizeof(port), ":%u", (unsigned) d->port);
    sha256_begin(&h);
    sha256_add(&h, d->host, strlen(d->host));
    sha256_add(&h, port, strlen(port));
    sha256_end(&h, digest);
    strcpy(ret, "SHA256:");
    for (size_t i = 7; i < HOST_KEY_SIZE - 1; i++)
        ret[i] = digits[digest[(i - 7) % SHA256_SIZE] % 64];
    ret[HOST_KEY_SIZE - 1] = '\0';
}

static void simulate(Probe *p) {
    const Destination *d = &p->destination;
    ProbeResult *result = &p->result;

    if (has_suffix(d->host, ".invalid")) { /* RFC 2606: nobody has such a name */
        probe_fail(p, EXPORT_RESOLVE, d->host);
        return;
    }
    if (d->type == DESTINATION_SFTP)
        simulate_key(d, result->host_key);
    result->ok = streq(d->host_key, result->host_key);
    result->cause = d->host_key[0] ? EXPORT_HOST_KEY_CHANGED : EXPORT_HOST_KEY_UNKNOWN;
    probe_found(p);
}

/* A free place, unless this destination is being tried already; NULL: told. */
static uint64_t *take_place(Call *c, uint64_t id) {
    uint64_t *place = NULL;

    for (size_t i = 0; i < ELEMENTS(c->m->probing); i++) {
        if (c->m->probing[i] == id) {
            reply_detail(c, 409, TEXT_DESTINATION_BUSY);
            return NULL;
        }
        if (c->m->probing[i] == 0)
            place = &c->m->probing[i];
    }
    if (!place)
        reply_busy(c);
    return place;
}

static Probe *probe_new(Call *c, uint64_t *place) {
    Probe *p = calloc(1, sizeof(*p));
    ProbeClock *clock = calloc(1, sizeof(*clock));
    Call *later = p && clock ? call_detach(c) : NULL;

    if (!later || manager_after(later->m, PROBE_PATIENCE_MS, probe_is_late, clock) < 0) {
        reply_errno(later ? later : c, -ENOMEM);
        call_done(later);
        free(p);
        free(clock);
        return NULL;
    }
    *p = (Probe) { .m = later->m, .call = later, .clock = clock, .place = place, .output = -EBADF };
    clock->probe = p;
    manager_hold(p->m);
    return p;
}

void destination_test(Call *c) {
    _cleanup_destination_ Destination d = { 0 };
    uint64_t *place;

    if (destination_find(c, &d) < 0 || !(place = take_place(c, d.id)))
        return;
    Probe *p = probe_new(c, place);
    if (!p)
        return;
    *place = d.id;
    p->destination = d;
    d = (Destination) { 0 };
    host_lookup_init(&p->lookup, p->m, p->destination.host);
    if (manager_is_simulator(p->m))
        simulate(p);
    else if (pool_submit(p->m->pool, look_up, looked_up, p) < 0)
        probe_fail(p, EXPORT_INTERNAL, NULL);
}
