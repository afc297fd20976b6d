/* GET / and GET /health. Health is probed at each call: the state database with a query and for anything that could not be taken away, the account back
 * end, the data path's file system on the pool (a dead mount must not hold the loop), the FTP server by its socket unit. */
#include "api/folders.h"
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
    bool database_ok = h->database >= 0 && h->backend >= 0;
    bool failing = tasks_are_failing(h->call->m), ok = h->ftp_up && database_ok && h->space >= 0 && !failing;
    double total = (double) h->space_total, gib = 1024.0 * 1024 * 1024;
    char space[32] = "error";

    if (h->space >= 0)
        format_space(h->space_free, space, sizeof(space));
    json_object_open(&w, NULL);
    json_string(&w, "status", ok ? "ok" : "degraded");
    json_string(&w, "space", space);
    json_string(&w, "ftpd", h->ftp_up ? "up" : "down");
    json_string(&w, "database", database_ok ? "ok" : "error");
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

static void probe_run(void *userdata) {
    Health *h = userdata;
    Manager *m = h->call->m;
    AccountTrouble trouble = { 0 };

    h->space = folders_space(m->data_fd, &h->space_free, &h->space_total);
    h->backend = m->accounts->v->probe(m->accounts, &trouble);
}

static void probe_done(void *userdata) {
    health_reply(userdata);
}

static int on_ftp_socket(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    Health *h = userdata;
    const char *state = "";

    if (!sd_bus_message_is_method_error(reply, NULL) && sd_bus_message_read(reply, "v", "s", &state) >= 0)
        h->ftp_up = streq(state, "active");
    int r = pool_submit(h->call->m->pool, probe_run, probe_done, h);
    if (r < 0) {
        h->space = h->backend = r;
        health_reply(h);
    }
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

void health_get(Call *c) {
    Manager *m = c->m;
    Health *h = calloc(1, sizeof(*h));
    Call *later = h ? call_detach(c) : NULL;

    if (!later) {
        free(h);
        reply_errno(c, -ENOMEM);
        return;
    }
    h->call = later;
    h->database = store_probe(m->store);
    if (!m->bus) { /* the simulator: nothing but the database is real */
        h->ftp_up = true;
        h->space_free = h->space_total = m->settings->sim_data_free_bytes;
        health_reply(h);
        return;
    }
    int r = ask_ftp_socket(h);
    if (r < 0) {
        h->space = h->backend = r;
        health_reply(h);
    }
}
