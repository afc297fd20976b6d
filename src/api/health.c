/* GET / and GET /health. Health is probed at each call: the state database with a query and for anything that could not be taken away, the account back
 * end on its own lane and for a moment only (one that hangs is down), the data path's file system on the pool (a dead mount must not hold the loop), the FTP
 * server by its socket unit, Pure-FTPd by its port. */
#include "api/access.h"
#include "api/account_calls.h"
#include "api/folders.h"
#include "api/ftp_port.h"
#include "api/reply.h"
#include "api/resources.h"
#include "api/settle.h"
#include "basic/strings.h"

#include <errno.h>
#include <stdio.h>

#define FTP_SOCKET_UNIT "tempoftp-ftp.socket"
#define PROBE_TIMEOUT_US (3 * 1000 * 1000)

void root_get(Call *c) {
    _cleanup_buffer_ Buffer b = { 0 };

    buffer_puts(&b, "{\"status\":\"active\"}");
    reply_json(c, 200, &b);
}

typedef struct Health {
    Call *call;
    bool ftp_up;
    unsigned open; /* probes that have not answered */
    int database, backend, space;
    uint64_t space_free, space_total;
} Health;

/* "20TB": whole number, powers of 1000. */
static void format_space(uint64_t bytes, char *ret, size_t size) {
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
    size_t i = 0;

    while (bytes >= 1000 && i + 1 < ELEMENTS(units)) {
        bytes /= 1000;
        i++;
    }
    snprintf(ret, size, "%llu%s", (unsigned long long) bytes, units[i]);
}

static void health_reply(Health *h) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    Manager *m = h->call->m;
    int refused = account_calls_trouble(m); /* it may answer, and yet not do what it is told */
    const char *database = h->database < 0 ? "error" : h->backend == -EAGAIN ? "down" : h->backend < 0 || (refused < 0 && refused != -EAGAIN) ? "error" : "ok";
    bool failing = tasks_are_failing(m) || access_is_failing(m), ok = h->ftp_up && streq(database, "ok") && h->space >= 0 && !failing;
    double total = (double) h->space_total, gib = 1024.0 * 1024 * 1024;
    char space[32] = "error";

    if (h->space >= 0)
        format_space(h->space_free, space, sizeof(space));
    json_object_open(&w, NULL);
    json_string(&w, "status", ok ? "ok" : "degraded");
    json_string(&w, "space", space);
    json_string(&w, "ftpd", h->ftp_up ? "up" : "down");
    json_string(&w, "database", database);
    if (failing) /* only then: well-behaved clients know the other keys */
        json_string(&w, "limpieza", "error");
    json_fixed2(&w, "space_free_gb", (double) h->space_free / gib);
    json_fixed2(&w, "space_total_gb", total / gib);
    json_fixed2(&w, "space_used_pct", total > 0 ? 100.0 * (total - (double) h->space_free) / total : 0.0);
    json_object_close(&w);
    if (!ok)
        reply_header(h->call, "retry-after", "5");
    reply_json(h->call, ok ? 200 : 503, &b);
    call_done(h->call);
    free(h);
}

static void health_close(Health *h) {
    if (--h->open == 0)
        health_reply(h);
}

static void on_backend(int r, void *userdata) {
    Health *h = userdata;

    h->backend = r;
    health_close(h);
}

static void space_run(void *userdata) {
    Health *h = userdata;

    h->space = folders_space(h->call->m->data_fd, &h->space_free, &h->space_total);
}

static void space_done(void *userdata) {
    health_close(userdata);
}

static void port_run(void *userdata) {
    Health *h = userdata;

    h->ftp_up = ftp_port_probe(h->call->m->settings) >= 0;
}

static void port_done(void *userdata) {
    health_close(userdata);
}

static int on_ftp_socket(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    Health *h = userdata;
    const char *state = "";

    if (!sd_bus_message_is_method_error(reply, NULL) && sd_bus_message_read(reply, "v", "s", &state) >= 0)
        h->ftp_up = streq(state, "active");
    health_close(h);
    return 0;
}

static int ask_ftp_socket(Health *h) {
    _cleanup_free_ char *path = NULL;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
    sd_bus *bus = h->call->m->bus;

    int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", FTP_SOCKET_UNIT, &path);
    if (r >= 0)
        r = sd_bus_message_new_method_call(bus, &call, "org.freedesktop.systemd1", path, "org.freedesktop.DBus.Properties", "Get");
    if (r >= 0)
        r = sd_bus_message_append(call, "ss", "org.freedesktop.systemd1.Unit", "ActiveState");
    if (r >= 0)
        r = sd_bus_call_async(bus, NULL, call, on_ftp_socket, h, PROBE_TIMEOUT_US);
    return r;
}

static int ask_ftp(Health *h) {
    Manager *m = h->call->m;

    return accounts_are_outside(m) ? pool_submit(m->pool, port_run, port_done, h) : ask_ftp_socket(h);
}

void health_get(Call *c) {
    Manager *m = c->m;
    Health *h = CALL_LATER(Health, c);

    if (!h)
        return;
    h->database = store_probe(m->store);
    if (!m->bus) { /* the simulator: nothing but the database is real */
        h->ftp_up = true;
        h->space_free = h->space_total = m->settings->sim_data_free_bytes;
        health_reply(h);
        return;
    }
    h->open = 3;
    account_probe(m, on_backend, h);
    h->space = pool_submit(m->pool, space_run, space_done, h);
    if (h->space < 0)
        health_close(h);
    if (ask_ftp(h) < 0)
        health_close(h);
}
