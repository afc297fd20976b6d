/* HTTP to tempoftpd, over its Unix socket or a URL. The only file of the client that knows libcurl.
 *
 * Errors: -EHOSTUNREACH: no service there (client_error() says why); -ENOMEM; -E2BIG: an answer past CLIENT_BODY_MAX; -EINVAL: bad URL. An HTTP error
 * status is an answer like any other. */
#pragma once

#include "basic/buffer.h"
#include "model/request.h"

#include <jansson.h>

#define CLIENT_SOCKET "/run/tempoftp/api.sock"
#define CLIENT_BODY_MAX (32u << 20)

typedef struct Client Client;

typedef struct Reply {
    long status;
    Buffer body;
    json_t *json;                        /* the body, when it is JSON; else NULL */
    unsigned retry_after;                /* seconds; 0: not said */
    char request_id[REQUEST_ID_MAX + 1]; /* X-Request-ID, to find the call in the journal */
} Reply;
void reply_done(Reply *r);
#define _cleanup_reply_ _cleanup_(reply_done)

/* One of them; both NULL: CLIENT_SOCKET. The strings must outlive the client. */
int client_new(const char *socket_path, const char *url, Client **ret) _must_use_;
Client *client_free(Client *c);
DEFINE_CLEANUP(Client, client_free)

/* For https: PEM file with the certificates that may have signed the service's, instead of the system's. Must outlive the client. */
void client_set_ca(Client *c, const char *path);

/* Sent with every call from now on, as Authorization: Bearer; a copy is kept. */
void client_set_token(Client *c, const char *token);

/* `path` begins with '/'. `body` is JSON text or NULL. */
int client_call(Client *c, const char *method, const char *path, const char *body, Reply *ret) _must_use_;

/* A live event stream. While the status is 200 every piece goes to `chunk` (non-zero from it ends the stream and is returned); any other
 * answer is collected in *ret. `last_id` may be NULL or empty. -EPIPE: it broke off. */
typedef int (*ClientChunk)(const char *bytes, size_t size, void *userdata);
int client_stream(Client *c, const char *path, const char *last_id, ClientChunk chunk, void *userdata, Reply *ret) _must_use_;

/* Why the last call failed, for people. */
const char *client_error(const Client *c);
/* The errno behind it, 0 when there is none. */
int client_os_error(const Client *c);
/* What we talk to: the socket's path or the URL. */
const char *client_target(const Client *c);

/* The text as one segment of a path or a query: percent-encoded. */
void client_escape(const char *text, Buffer *to);
/* "/tmpftp/" + the segment + rest; heap; NULL: no memory. */
char *client_path(const char *segment, const char *rest);
