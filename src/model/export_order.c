/* The run credential of an export and the answer of a test, as records. One table of keys for each; a key that is unknown, twice or missing is an error:
 * both ends are of one version. */
#include "model/export_order.h"

#include "basic/strings.h"
#include "model/records.h"

#include <errno.h>
#include <stdio.h>

void export_order_done(ExportOrder *o) {
    wipe(o->token, sizeof(o->token));
    free(o->host);
    free(o->username);
    wipe_free(o->password);
    wipe_free(o->ssh_key);
    free(o->path);
    for (size_t i = 0; i < EXPORT_ADDRESSES_MAX; i++)
        free(o->addresses[i]);
    *o = (ExportOrder) { 0 };
}

static const struct {
    const char *key;
    size_t offset;
    bool required;
} texts[] = {
    { "host", offsetof(ExportOrder, host), true },           { "username", offsetof(ExportOrder, username), true },
    { "password", offsetof(ExportOrder, password), false },  { "ssh_key", offsetof(ExportOrder, ssh_key), false },
    { "path", offsetof(ExportOrder, path), true },
};

static char **text_of(ExportOrder *o, size_t i) {
    return (char **) ((char *) o + texts[i].offset);
}

int export_order_format(const ExportOrder *o, char *ret, size_t size, size_t *ret_size) {
    RecordWriter w = { .to = ret, .size = size };
    char port[8];

    snprintf(port, sizeof(port), "%u", (unsigned) o->port);
    record_add(&w, "token", o->token[0] ? o->token : NULL);
    record_add(&w, "type", destination_type_name(o->type));
    record_add(&w, "port", port);
    for (size_t i = 0; i < ELEMENTS(texts); i++)
        record_add(&w, texts[i].key, *text_of((ExportOrder *) o, i));
    record_add(&w, "host_key", o->host_key[0] ? o->host_key : NULL);
    for (size_t i = 0; i < EXPORT_ADDRESSES_MAX && o->addresses[i]; i++)
        record_add(&w, "address", o->addresses[i]);
    if (w.error < 0)
        return w.error;
    *ret_size = w.used;
    return 0;
}

static int take_address(ExportOrder *o, const char *value) {
    size_t n = 0;

    while (o->addresses[n])
        n++;
    if (n == EXPORT_ADDRESSES_MAX)
        return -EBADMSG;
    o->addresses[n] = strdup(value);
    return o->addresses[n] ? 0 : -ENOMEM;
}

static int take_token(ExportOrder *o, const char *value) {
    uint8_t bytes[16];
    int r = hex_decode(value, bytes, sizeof(bytes));

    wipe(bytes, sizeof(bytes));
    if (r < 0)
        return -EBADMSG;
    strcpy(o->token, value);
    return 0;
}

static int take_order(const char *key, const char *value, void *userdata) {
    ExportOrder *o = userdata;
    uint64_t port;

    for (size_t i = 0; i < ELEMENTS(texts); i++)
        if (streq(key, texts[i].key)) {
            char **to = text_of(o, i);
            if (*to || !value[0])
                return -EBADMSG;
            *to = strdup(value);
            return *to ? 0 : -ENOMEM;
        }
    if (streq(key, "address"))
        return take_address(o, value);
    if (streq(key, "token"))
        return take_token(o, value);
    if (streq(key, "type"))
        return destination_type_parse(value, &o->type) < 0 ? -EBADMSG : 0;
    if (streq(key, "port") && parse_u64(value, UINT16_MAX, &port) >= 0 && port > 0) {
        o->port = (uint16_t) port;
        return 0;
    }
    if (streq(key, "host_key") && host_key_is_valid(value)) {
        strcpy(o->host_key, value);
        return 0;
    }
    return -EBADMSG;
}

int export_order_parse(char *bytes, size_t size, ExportOrder *ret) {
    _cleanup_export_order_ ExportOrder o = { .type = DESTINATION_TYPE_MAX };
    int r = records_walk(bytes, size, take_order, &o);

    for (size_t i = 0; r >= 0 && i < ELEMENTS(texts); i++)
        if (texts[i].required && !*text_of(&o, i))
            r = -EBADMSG;
    if (r < 0)
        return r;
    if (o.type == DESTINATION_TYPE_MAX || o.port == 0 || !o.addresses[0])
        return -EBADMSG;
    *ret = o;
    o = (ExportOrder) { 0 };
    return 0;
}

int probe_result_format(const ProbeResult *p, char ret[static PROBE_RESULT_SIZE], size_t *ret_size) {
    RecordWriter w = { .to = ret, .size = PROBE_RESULT_SIZE };

    record_add(&w, "cause", p->ok ? "ok" : export_cause_name(p->cause));
    record_add(&w, "detail", p->detail[0] ? p->detail : NULL);
    record_add(&w, "host_key", p->host_key[0] ? p->host_key : NULL);
    if (w.error < 0)
        return w.error;
    *ret_size = w.used;
    return 0;
}

typedef struct ProbeParse {
    ProbeResult result;
    bool has_cause;
} ProbeParse;

static int take_result(const char *key, const char *value, void *userdata) {
    ProbeParse *parse = userdata;
    ProbeResult *p = &parse->result;

    if (streq(key, "cause")) {
        parse->has_cause = true;
        p->ok = streq(value, "ok");
        return p->ok || export_cause_parse(value, &p->cause) >= 0 ? 0 : -EBADMSG;
    }
    if (streq(key, "detail")) {
        snprintf(p->detail, sizeof(p->detail), "%s", value);
        return 0;
    }
    if (streq(key, "host_key") && host_key_is_valid(value)) {
        strcpy(p->host_key, value);
        return 0;
    }
    return -EBADMSG;
}

int probe_result_parse(char *bytes, size_t size, ProbeResult *ret) {
    ProbeParse parse = { 0 };
    int r = records_walk(bytes, size, take_result, &parse);

    if (r >= 0 && !parse.has_cause)
        r = -EBADMSG;
    if (r >= 0)
        *ret = parse.result;
    return r;
}
