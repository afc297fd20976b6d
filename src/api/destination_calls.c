/* /api/destinations: partners' servers, kept by operators. Secrets come in, are encrypted before anything is written, and never go out again.
 *
 * What is sent to them is export_queue.c's business, trying them out probe.c's. */
#include "api/audit.h"
#include "api/export_host.h"
#include "api/export_queue.h"
#include "api/query.h"
#include "api/reply.h"
#include "api/resources.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/texts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define LIST_DEFAULT 100

static void write_text(JsonWriter *w, const char *key, const char *text) {
    json_string(w, key, text[0] ? text : NULL);
}

static void destination_write(JsonWriter *w, const char *key, const Destination *d) {
    json_object_open(w, key);
    json_integer(w, "id", (int64_t) d->id);
    json_string(w, "name", d->name);
    json_string(w, "type", destination_type_name(d->type));
    json_string(w, "host", d->host);
    json_integer(w, "port", d->port);
    json_string(w, "username", d->username);
    json_bool(w, "has_password", d->password);
    json_bool(w, "has_ssh_key", d->ssh_key);
    json_string(w, "path", d->path);
    write_text(w, "group", d->group);
    json_bool(w, "is_default", d->is_default);
    write_text(w, "host_key", d->host_key);
    write_text(w, "host_key_seen", d->seen_key);
    json_time(w, "created_at", d->created);
    json_object_close(w);
}

static void reply_destination(Call *c, int status, const Destination *d) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    destination_write(&w, NULL, d);
    reply_json(c, status, &b);
}

int destination_find(Call *c, Destination *ret) {
    uint64_t id;
    int r = parse_u64(c->param, INT64_MAX, &id) < 0 ? -ENOENT : store_destination(c->m->store, id, ret);

    if (r == -ENOENT)
        reply_detail(c, 404, TEXT_NO_DESTINATION);
    else if (r < 0)
        reply_errno(c, r);
    return r;
}

/* ---- reads ---- */

static int list_row(const Destination *d, void *userdata) {
    destination_write(userdata, NULL, d);
    return 0;
}

void destination_list(Call *c) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);
    uint64_t limit = LIST_DEFAULT, offset = 0, total = 0;

    if (!query_number(c, "limit", QUERY_LIST_MAX, &limit) || !query_number_from(c, "offset", 0, INT64_MAX, &offset))
        return;
    int r = store_count_destinations(c->m->store, &total);
    json_object_open(&w, NULL);
    json_integer(&w, "total", (int64_t) total);
    json_array_open(&w, "destinations");
    if (r >= 0)
        r = store_list_destinations(c->m->store, (size_t) limit, (size_t) offset, list_row, &w);
    json_array_close(&w);
    json_object_close(&w);
    if (r < 0)
        reply_errno(c, r);
    else
        reply_json(c, 200, &b);
}

void destination_get(Call *c) {
    _cleanup_destination_ Destination d = { 0 };

    if (destination_find(c, &d) >= 0)
        reply_destination(c, 200, &d);
}

/* ---- changes ---- */

/* One change: of a new row, of an old one, or its end. */
typedef struct Edit {
    Call *call;
    uint64_t id; /* 0: a new one */
    bool remove;
    DestinationBody body;
    char *password, *ssh_key; /* of the body, encrypted */
    Destination row;
    Refusal refusal;
} Edit;

static Edit *edit_free(Edit *e) {
    if (!e)
        return NULL;
    call_done(e->call);
    destination_body_done(&e->body);
    free(e->password);
    free(e->ssh_key);
    destination_done(&e->row);
    free(e);
    return NULL;
}
DEFINE_CLEANUP(Edit, edit_free)

static Edit *edit_new(Call *c, uint64_t id) {
    Edit *e = CALL_LATER(Edit, c);

    if (!e)
        return NULL;
    e->id = id;
    return e;
}

static void tell(const Edit *e, const char *what) {
    LogContext about = call_log(e->call, NULL);
    const Destination *d = &e->row;

    log_line(LOG_INFO, &about, "Destination %" PRIu64 " %s: '%s', %s to %s port %u", d->id, what, d->name, destination_type_name(d->type), d->host,
             (unsigned) d->port);
}

static void edited(void *userdata, int r) {
    _cleanup_(edit_freep) Edit *e = userdata;
    Call *c = e->call;
    char location[64];

    if (r == -EBADMSG && e->refusal.status)
        reply_unparsed(c, r, &e->refusal);
    else if (r == -ENOENT)
        reply_detail(c, 404, TEXT_NO_DESTINATION);
    else if (r == -EEXIST)
        reply_detail(c, 409, TEXT_DESTINATION_TAKEN);
    else if (r == -EDQUOT)
        reply_detail(c, 409, TEXT_DESTINATIONS_FULL);
    else if (r < 0)
        reply_errno(c, r);
    else if (e->remove) {
        tell(e, "removed");
        exports_settle(c->m); /* whatever was on its way there */
        reply_json(c, 204, NULL);
    } else {
        tell(e, e->id ? "changed" : "made");
        if (!e->id) {
            snprintf(location, sizeof(location), "/api/destinations/%" PRIu64, e->row.id);
            reply_header(c, "location", location);
        }
        reply_destination(c, e->id ? 200 : 201, &e->row);
    }
}

static void edit_write(Edit *e, StoreJob job) {
    int r = store_write(e->call->m->store, job, edited, e);
    if (r < 0)
        edited(e, r);
}

/* The secrets of the body, if it has any, take the place of the row's. */
static void take_secret(char **row, const char *given, char **token) {
    if (!given)
        return;
    free(*row);
    *row = TAKE_PTR(*token);
}

static int put_job(StoreTx *tx, void *userdata) {
    Edit *e = userdata;
    int r = e->id ? tx_destination(tx, e->id, &e->row) : 0;

    if (!e->id)
        e->row.created = utc_now();
    if (r >= 0)
        r = destination_body_apply(&e->body, &e->row, &e->refusal);
    if (r < 0)
        return r;
    take_secret(&e->row.password, e->body.password, &e->password);
    take_secret(&e->row.ssh_key, e->body.ssh_key, &e->ssh_key);
    r = tx_destination_put(tx, &e->row);
    return r < 0 ? r : audit_append(tx, e->call, e->row.name, e->id ? 200 : 201);
}

static int encrypt(Call *c, const char *plain, char **ret) {
    return plain && plain[0] ? fernet_encrypt(c->m->keys, plain, strlen(plain), utc_now(), ret) : 0;
}

/* For the audit trail: what has changed, secrets by name only. */
static void describe(const Edit *e) {
    const DestinationBody *b = &e->body;
    const struct {
        bool given;
        const char *word;
    } words[] = {
        { b->host, " host" },          { b->has_port, " port" },       { b->username, " username" },      { b->password, " password" }, { b->ssh_key, " ssh_key" },
        { b->path, " path" },          { b->group, " group" },         { b->has_default, " is_default" }, { b->host_key, " host_key" },
    };
    char text[128] = "";

    for (size_t i = 0; i < ELEMENTS(words); i++)
        if (words[i].given)
            strcat(text, words[i].word);
    call_detail(e->call, "%s", text[0] ? text + 1 : "");
}

/* What is wrong with the secrets or the host is known before the database is asked. */
static void put(Call *c, uint64_t id) {
    _cleanup_destination_body_ DestinationBody body = { 0 };
    Refusal refusal = { 0 };

    int r = destination_body_parse(c->req->entity.base, c->req->entity.len, id == 0, &body, &refusal);
    call_wipe_body(c);
    if (r < 0) {
        reply_unparsed(c, r, &refusal);
        return;
    }
    if (body.host && export_host_is_inner(c->m, body.host)) {
        reply_detail(c, 400, TEXT_DESTINATION_INNER);
        return;
    }
    Edit *e = edit_new(c, id);
    if (!e)
        return;
    e->body = body;
    body = (DestinationBody) { 0 };
    describe(e);
    r = encrypt(e->call, e->body.password, &e->password);
    if (r >= 0)
        r = encrypt(e->call, e->body.ssh_key, &e->ssh_key);
    if (r < 0)
        edited(e, r); /* nothing was written */
    else
        edit_write(e, put_job);
}

void destination_post(Call *c) {
    put(c, 0);
}

void destination_put(Call *c) {
    _cleanup_destination_ Destination d = { 0 };

    if (destination_find(c, &d) >= 0)
        put(c, d.id);
}

static int remove_job(StoreTx *tx, void *userdata) {
    Edit *e = userdata;
    int r = tx_destination(tx, e->id, &e->row);

    if (r >= 0)
        r = tx_destination_remove(tx, e->id);
    if (r >= 0)
        r = tx_exports_cancel_destination(tx, e->id, TEXT_DESTINATION_GONE, utc_now());
    return r < 0 ? r : audit_append(tx, e->call, e->row.name, 204);
}

void destination_delete(Call *c) {
    _cleanup_destination_ Destination d = { 0 };
    Edit *e = destination_find(c, &d) < 0 ? NULL : edit_new(c, d.id);

    if (!e)
        return;
    e->remove = true;
    edit_write(e, remove_job);
}
