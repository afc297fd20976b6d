/* One libcurl handle, used for one call after another.
 *
 * Knows HTTP and where the service listens; what an answer means is for others. */
#include "cli/client.h"

#include "basic/strings.h"
#include "cli/text.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_SECONDS 10L
#define CALL_SECONDS 300L /* a DELETE waits until sessions and units have ended */

struct Client {
    CURL *curl;
    const char *socket_path; /* NULL: by URL */
    const char *url;
    const char *ca; /* NULL: the system's */
    char *token; /* NULL: none */
    char error[CURL_ERROR_SIZE];
    int os_error;
};

/* One transfer under way. */
typedef struct Call {
    Client *client;
    Reply *reply;
    ClientChunk chunk; /* NULL: collect the body */
    void *userdata;
    int stopped; /* what chunk said */
} Call;

void reply_done(Reply *r) {
    if (r->body.data)
        wipe(r->body.data, r->body.size);
    buffer_done(&r->body);
    json_decref(r->json);
    *r = (Reply) {};
}

int client_new(const char *socket_path, const char *url, Client **ret) {
    if (url && !has_prefix(url, "http://") && !has_prefix(url, "https://"))
        return -EINVAL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -ENOMEM;

    _cleanup_(client_freep) Client *c = calloc(1, sizeof(*c));
    if (!c) {
        curl_global_cleanup();
        return -ENOMEM;
    }
    c->curl = curl_easy_init();
    if (!c->curl)
        return -ENOMEM;
    c->url = url ? url : "http://localhost";
    c->socket_path = url ? NULL : socket_path ? socket_path : CLIENT_SOCKET;
    *ret = TAKE_PTR(c);
    return 0;
}

Client *client_free(Client *c) {
    if (!c)
        return NULL;
    curl_easy_cleanup(c->curl);
    curl_global_cleanup();
    wipe_free(c->token);
    free(c);
    return NULL;
}

void client_set_ca(Client *c, const char *path) {
    c->ca = path;
}

void client_set_token(Client *c, const char *token) {
    wipe_free(c->token);
    c->token = strdup(token);
}

const char *client_error(const Client *c) {
    return c->error;
}

int client_os_error(const Client *c) {
    return c->os_error;
}

const char *client_target(const Client *c) {
    return c->socket_path ? c->socket_path : c->url;
}

void client_escape(const char *text, Buffer *to) {
    static const char hex[] = "0123456789ABCDEF";

    for (const char *c = text; *c; c++) { /* RFC 3986: unreserved characters as they are */
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("-._~", *c);
        if (plain) {
            buffer_putc(to, *c);
        } else {
            buffer_putc(to, '%');
            buffer_putc(to, hex[(unsigned char) *c >> 4]);
            buffer_putc(to, hex[(unsigned char) *c & 15]);
        }
    }
}

char *client_path(const char *segment, const char *rest) {
    _cleanup_buffer_ Buffer path = {};

    buffer_puts(&path, "/tmpftp/");
    client_escape(segment, &path);
    buffer_puts(&path, rest);
    return buffer_take(&path);
}

static size_t on_body(char *bytes, size_t one, size_t size, void *userdata) {
    Call *call = userdata;
    long status = 0;

    curl_easy_getinfo(call->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (call->chunk && status == 200) {
        call->stopped = call->chunk(bytes, size, call->userdata);
        return call->stopped != 0 ? 0 : size;
    }
    buffer_append(&call->reply->body, bytes, size);
    return call->reply->body.error < 0 ? 0 : size;
}

/* In the words of whom we talk to; libcurl's own are the detail. */
static const struct {
    CURLcode code;
    const char *text;
} failures[] = {
    { CURLE_COULDNT_RESOLVE_HOST, "ese servidor no se encuentra" },
    { CURLE_OPERATION_TIMEDOUT, "no contesta a tiempo" },
    { CURLE_PEER_FAILED_VERIFICATION, "su certificado no convence; si lo ha firmado una CA propia, nómbrela con --ca" },
    { CURLE_SSL_CACERT_BADFILE, "el archivo de --ca no se puede leer" },
    { CURLE_SSL_CONNECT_ERROR, "ahí no se habla HTTPS" },
};

static void remember_error(Client *c, CURLcode code) {
    char detail[CURL_ERROR_SIZE];
    long os = 0;

    curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &os);
    c->os_error = code == CURLE_COULDNT_CONNECT ? (int) os : 0;
    if (c->os_error != 0) {
        snprintf(c->error, sizeof(c->error), "%s", text_errno(c->os_error));
        return;
    }
    snprintf(detail, sizeof(detail), "%s", *c->error ? c->error : curl_easy_strerror(code));
    memcpy(c->error, detail, sizeof(detail));
    for (size_t i = 0; i < ELEMENTS(failures); i++)
        if (failures[i].code == code)
            snprintf(c->error, sizeof(c->error), "%s (%.150s)", failures[i].text, detail);
}

static int set_target(Client *c, const char *path) {
    size_t size = strlen(c->url);
    while (size > 0 && c->url[size - 1] == '/')
        size--;

    _cleanup_free_ char *url = NULL;
    if (asprintf(&url, "%.*s%s", (int) size, c->url, path) < 0)
        return -ENOMEM;
    curl_easy_reset(c->curl);
    if (curl_easy_setopt(c->curl, CURLOPT_URL, url) != CURLE_OK)
        return -ENOMEM;
    if (c->socket_path) {
        if (curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket_path) != CURLE_OK ||
            curl_easy_setopt(c->curl, CURLOPT_PROXY, "") != CURLE_OK)
            return -ENOMEM;
    }
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (c->ca && curl_easy_setopt(c->curl, CURLOPT_CAINFO, c->ca) != CURLE_OK)
        return -ENOMEM;
    curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "tempoftp/" TEMPOFTP_VERSION);
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->error);
    *c->error = '\0';
    return 0;
}

static void take_headers(Client *c, Reply *reply) {
    struct curl_header *header;
    curl_off_t retry = 0;

    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &reply->status);
    if (curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &retry) == CURLE_OK && retry > 0)
        reply->retry_after = retry < UINT_MAX ? (unsigned) retry : UINT_MAX;
    if (curl_easy_header(c->curl, "X-Request-ID", 0, CURLH_HEADER, -1, &header) == CURLHE_OK && request_header_id_is_valid(header->value))
        snprintf(reply->request_id, sizeof(reply->request_id), "%s", header->value);
}

static void free_list(struct curl_slist **list) {
    curl_slist_free_all(*list);
}

static int add_header(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        return -ENOMEM;
    *list = longer;
    return 0;
}

/* The token of the session, when there is one. */
static int add_authorization(const Client *c, struct curl_slist **list) {
    _cleanup_(wipe_freep) char *line = NULL;

    if (!c->token)
        return 0;
    if (asprintf(&line, "Authorization: Bearer %s", c->token) < 0) {
        line = NULL;
        return -ENOMEM;
    }
    return add_header(list, line);
}

static int perform(Client *c, Call *call, struct curl_slist *headers) {
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, call);

    CURLcode code = curl_easy_perform(c->curl);
    take_headers(c, call->reply);
    if (call->stopped != 0)
        return call->stopped;
    if (call->reply->body.error < 0)
        return call->reply->body.error;
    if (code != CURLE_OK) {
        remember_error(c, code);
        return call->chunk && call->reply->status == 200 ? -EPIPE : -EHOSTUNREACH;
    }
    if (call->reply->body.size > 0)
        call->reply->json = json_loadb(call->reply->body.data, call->reply->body.size, JSON_DECODE_ANY, NULL);
    return 0;
}

int client_call(Client *c, const char *method, const char *path, const char *body, Reply *ret) {
    _cleanup_reply_ Reply reply = { .body = { .max = CLIENT_BODY_MAX } };
    _cleanup_(free_list) struct curl_slist *headers = NULL;

    int r = set_target(c, path);
    if (r < 0)
        return r;
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, CALL_SECONDS);
    if (body) {
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long) strlen(body));
        if (curl_easy_setopt(c->curl, CURLOPT_COPYPOSTFIELDS, body) != CURLE_OK)
            return -ENOMEM;
        r = add_header(&headers, "Content-Type: application/json");
        if (r < 0)
            return r;
    }
    if (curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method) != CURLE_OK)
        return -ENOMEM;

    r = add_authorization(c, &headers);
    if (r >= 0)
        r = perform(c, &(Call) { .client = c, .reply = &reply }, headers);
    if (r < 0)
        return r;
    *ret = reply;
    reply = (Reply) {};
    return 0;
}

int client_stream(Client *c, const char *path, const char *last_id, ClientChunk chunk, void *userdata, Reply *ret) {
    _cleanup_reply_ Reply reply = { .body = { .max = CLIENT_BODY_MAX } };
    _cleanup_(free_list) struct curl_slist *headers = NULL;
    _cleanup_free_ char *resume = NULL;

    int r = set_target(c, path);
    if (r < 0)
        return r;
    r = add_header(&headers, "Accept: text/event-stream");
    if (r == 0 && last_id && *last_id) {
        if (asprintf(&resume, "Last-Event-ID: %s", last_id) < 0)
            return -ENOMEM;
        r = add_header(&headers, resume);
    }
    if (r == 0)
        r = add_authorization(c, &headers);
    if (r < 0)
        return r;
    curl_easy_setopt(c->curl, CURLOPT_TCP_KEEPALIVE, 1L);

    r = perform(c, &(Call) { .client = c, .reply = &reply, .chunk = chunk, .userdata = userdata }, headers);
    if (r < 0)
        return r;
    *ret = reply;
    reply = (Reply) {};
    return r;
}
