/* Counters: where each stands, how they go to disk and come back, and what they are called. It knows routes by the table alone. */
#include "api/metrics.h"

#include "api/exposition.h"
#include "api/route.h"
#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define NOTE "metrics"
#define TEXT_MAX (64 * 1024)

static const uint16_t codes[] = { 0 /* any other */, 200, 202, 204, 304, 400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 422, 429, 431, 500, 503 };

/* Upper bounds of the histogram's buckets: from what one look-up takes to what a line of logins does. */
static const struct {
    uint64_t microseconds;
    const char *label;
} buckets[] = {
    { 1000, "0.001" },  { 2500, "0.0025" },  { 5000, "0.005" },    { 10000, "0.01" },    { 25000, "0.025" },     { 50000, "0.05" },
    { 100000, "0.1" },  { 250000, "0.25" },  { 500000, "0.5" },    { 1000000, "1" },     { 2500000, "2.5" },     { 10000000, "10" },
};

/* Refusals by what was wrong, out of the counts of answers. */
static const struct {
    uint16_t code;
    const char *reason;
} reasons[] = {
    { 400, "rule" },      { 401, "credentials" }, { 403, "permission" }, { 408, "slow" },      { 413, "size" }, { 414, "size" },
    { 422, "malformed" }, { 429, "rate" },        { 431, "size" },       { 503, "busy" },
};

static const char *const services[] = { [LOGIN_API] = "api", [LOGIN_FTP] = "ftp" };
static const char *const results[] = {
    [LOGIN_OK] = "ok",          [LOGIN_WRONG] = "wrong", [LOGIN_INACTIVE] = "inactive",   [LOGIN_EXPIRED] = "expired",
    [LOGIN_BLOCKED] = "blocked", [LOGIN_BUSY] = "busy",   [LOGIN_ELSEWHERE] = "elsewhere", [LOGIN_FAILED] = "failed",
};

/* One route's row of counters; the last bucket is +Inf. */
typedef struct RouteCounters {
    uint64_t answers[ELEMENTS(codes)];
    uint64_t within[ELEMENTS(buckets) + 1];
    uint64_t microseconds;
} RouteCounters;

/* All that goes to disk: nothing but counters. */
typedef struct Counters {
    uint64_t since; /* UTC seconds: when they began at 0 */
    uint64_t logins[LOGIN_SERVICE_MAX][LOGIN_RESULT_MAX];
    uint64_t unwritten;
    RouteCounters routes[]; /* the last: calls of no route */
} Counters;

struct Metrics {
    bool on_disk;
    const Route *table;
    size_t n_routes; /* of the table */
    size_t n_values; /* of counters, as a list */
    Counters *counters;
};

/* ---- to disk and back ---- */

static uint64_t mix(uint64_t h, const void *data, size_t size) {
    for (const uint8_t *p = data; size-- > 0; p++)
        h = (h ^ *p) * 1099511628211u; /* FNV-1a: two layouts by accident alike are no catastrophe */
    return h;
}

/* What a place in the list means: another table of routes, codes or buckets has another one. */
static uint64_t layout(const Metrics *x) {
    uint64_t h = mix(14695981039346656037u, codes, sizeof(codes));

    for (size_t i = 0; i < ELEMENTS(buckets); i++)
        h = mix(h, &buckets[i].microseconds, sizeof(buckets[i].microseconds));
    for (size_t i = 0; i < ELEMENTS(results); i++)
        h = mix(h, results[i], strlen(results[i]));
    for (size_t i = 0; i < x->n_routes; i++) {
        h = mix(h, x->table[i].method, strlen(x->table[i].method));
        h = mix(h, x->table[i].path, strlen(x->table[i].path));
    }
    return h;
}

/* "LAYOUT PLACE:VALUE…" in hex, those that are not 0. */
int metrics_save(Metrics *x, StoreTx *tx) {
    const uint64_t *values = (const uint64_t *) x->counters;
    _cleanup_buffer_ Buffer text = { .max = TEXT_MAX };

    buffer_printf(&text, "%" PRIx64, layout(x));
    for (size_t i = 0; i < x->n_values; i++)
        if (values[i] != 0)
            buffer_printf(&text, " %zx:%" PRIx64, i, values[i]);
    return text.error < 0 ? text.error : tx_note_put(tx, NOTE, text.data);
}

/* All or nothing: counters that are half there would go back. */
static bool parse(const Metrics *x, const char *text, Counters *ret) {
    uint64_t *values = (uint64_t *) ret;
    char *end;

    if (strtoull(text, &end, 16) != layout(x) || end == text)
        return false;
    while (*end == ' ') {
        const char *at = end + 1;
        unsigned long long place = strtoull(at, &end, 16);
        if (end == at || *end != ':' || place >= x->n_values)
            return false;
        at = end + 1;
        values[place] = strtoull(at, &end, 16);
        if (end == at)
            return false;
    }
    return *end == '\0';
}

int metrics_new(Store *store, Metrics **ret) {
    _cleanup_(metrics_freep) Metrics *x = calloc(1, sizeof(*x));
    _cleanup_free_ char *text = NULL;
    size_t size;

    if (!x)
        return -ENOMEM;
    x->table = route_table(&x->n_routes);
    size = sizeof(Counters) + (x->n_routes + 1) * sizeof(RouteCounters);
    x->n_values = size / sizeof(uint64_t);
    x->counters = calloc(1, size);
    if (!x->counters)
        return -ENOMEM;
    int r = store_note(store, NOTE, &text);
    if (r < 0 && r != -ENOENT)
        return r;
    x->on_disk = r >= 0 && *text;
    if (!x->on_disk || !parse(x, text, x->counters)) {
        memset(x->counters, 0, size);
        x->counters->since = (uint64_t) utc_now();
    }
    *ret = TAKE_PTR(x);
    return 0;
}

Metrics *metrics_free(Metrics *x) {
    if (x)
        free(x->counters);
    free(x);
    return NULL;
}

bool metrics_are_on_disk(const Metrics *x) {
    return x->on_disk;
}

int metrics_take_off_job(StoreTx *tx, void *unused) {
    return tx_note_put(tx, NOTE, "");
}

void metrics_taken_off(Metrics *x) {
    x->on_disk = false;
}

/* ---- counting ---- */

static size_t code_place(int status) {
    for (size_t i = 1; i < ELEMENTS(codes); i++)
        if (codes[i] == status)
            return i;
    return 0;
}

static size_t bucket_place(uint64_t microseconds) {
    size_t i = 0;

    while (i < ELEMENTS(buckets) && microseconds > buckets[i].microseconds)
        i++;
    return i;
}

void metrics_answer(const Call *c, int status) {
    Metrics *x = c->m->metrics;
    RouteCounters *row = &x->counters->routes[c->route ? (size_t) (c->route - x->table) : x->n_routes];
    uint64_t took = monotonic_us() - c->started_us;

    row->answers[code_place(status)]++;
    row->within[bucket_place(took)]++;
    row->microseconds += took;
}

void metrics_login(Metrics *x, LoginService service, LoginResult result) {
    x->counters->logins[service][result]++;
}

void metrics_unwritten(Metrics *x) {
    x->counters->unwritten++;
}

/* ---- showing ---- */

static const char *route_method(const Metrics *x, size_t i) {
    return i < x->n_routes ? x->table[i].method : "any";
}

static const char *route_path(const Metrics *x, size_t i) {
    return i < x->n_routes ? x->table[i].path : "none";
}

static void write_answers(const Metrics *x, Buffer *to) {
    static const char name[] = "tempoftp_http_requests_total";

    exposition_family(to, name, "counter", "Calls that were answered, by route of the table and HTTP status (0: any that is not named)");
    for (size_t i = 0; i <= x->n_routes; i++)
        for (size_t k = 0; k < ELEMENTS(codes); k++) {
            uint64_t n = x->counters->routes[i].answers[k];
            char code[8];

            snprintf(code, sizeof(code), "%u", codes[k]);
            if (n > 0)
                exposition_integer(to, name, "", LABELS({ "method", route_method(x, i) }, { "route", route_path(x, i) }, { "code", code }), n);
        }
}

static void write_durations(const Metrics *x, Buffer *to) {
    static const char name[] = "tempoftp_http_request_duration_seconds";

    exposition_family(to, name, "histogram", "Time from a call's last byte to its answer's first, of event streams too");
    for (size_t i = 0; i <= x->n_routes; i++) {
        const RouteCounters *row = &x->counters->routes[i];
        const char *method = route_method(x, i), *path = route_path(x, i);
        uint64_t below = 0, all = 0;

        for (size_t k = 0; k <= ELEMENTS(buckets); k++)
            all += row->within[k];
        if (all == 0)
            continue;
        for (size_t k = 0; k <= ELEMENTS(buckets); k++) {
            below += row->within[k];
            exposition_integer(to, name, "_bucket",
                               LABELS({ "method", method }, { "route", path }, { "le", k < ELEMENTS(buckets) ? buckets[k].label : "+Inf" }), below);
        }
        exposition_seconds(to, name, "_sum", LABELS({ "method", method }, { "route", path }), row->microseconds);
        exposition_integer(to, name, "_count", LABELS({ "method", method }, { "route", path }), all);
    }
}

static uint64_t answers_with(const Metrics *x, uint16_t code) {
    uint64_t n = 0;

    for (size_t i = 0; i <= x->n_routes; i++)
        n += x->counters->routes[i].answers[code_place(code)];
    return n;
}

static void write_refusals(const Metrics *x, Buffer *to) {
    static const char name[] = "tempoftp_refusals_total";

    exposition_family(to, name, "counter", "Calls that were refused, by what was wrong");
    for (size_t i = 0; i < ELEMENTS(reasons); i++) {
        uint64_t n = 0;
        bool said = false;

        for (size_t k = 0; k < ELEMENTS(reasons); k++) {
            bool same = streq(reasons[k].reason, reasons[i].reason);
            said |= same && k < i;
            n += same ? answers_with(x, reasons[k].code) : 0;
        }
        if (!said)
            exposition_integer(to, name, "", LABELS({ "reason", reasons[i].reason }), n);
    }
}

void metrics_write(const Metrics *x, Buffer *to) {
    const Counters *c = x->counters;

    exposition_family(to, "tempoftp_counters_start_time_seconds", "gauge",
                      "When the counters of calls and logins began at 0, in Unix time; they outlast idle exits and restarts, not kills and upgrades");
    exposition_integer(to, "tempoftp_counters_start_time_seconds", "", NULL, c->since);
    write_answers(x, to);
    write_durations(x, to);
    write_refusals(x, to);
    exposition_family(to, "tempoftp_logins_total", "counter", "Logins to the API and, as tempoftpd decides them, to the FTP server");
    for (size_t i = 0; i < LOGIN_SERVICE_MAX; i++)
        for (size_t k = 0; k < LOGIN_RESULT_MAX; k++)
            exposition_integer(to, "tempoftp_logins_total", "", LABELS({ "service", services[i] }, { "result", results[k] }), c->logins[i][k]);
    exposition_family(to, "tempoftp_audit_unwritten_total", "counter", "Refusals that are not in the audit trail, because there were too many in that minute");
    exposition_integer(to, "tempoftp_audit_unwritten_total", "", NULL, c->unwritten);
}
