/* The HTTP door: libh2o's loop with sd-event's epoll fd as one of its sockets, accept with a limit, and one handler that hands every
 * request to route.c. It also dresses libh2o's own errors (too large a body) in the contract's shape. It knows no call by name. */
#define H2O_USE_LIBUV 0
#include "api/server.h"

#include "api/browser.h"
#include "api/call.h"
#include "api/metrics.h"
#include "api/connection.h"
#include "api/early_reply.h"
#include "api/handshake.h"
#include "api/reply.h"
#include "api/route.h"
#include "basic/time.h"
#include "crypto/password.h"
#include "model/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>

#define ENTITY_MAX (64 * 1024)     /* libh2o reads no more; REQUEST_BODY_MAX is the API's own, smaller limit */
#define UNREAD_MS (30 * 1000)      /* how long a client may let an answer lie that it does not read */
#define ACCEPTS_PER_TURN 64

typedef struct Listener {
    h2o_socket_t *socket;
    Server *server;
    Way way;
    struct Listener *next;
} Listener;

/* One for each way: how a handler learns by which a request came. */
typedef struct Door {
    h2o_handler_t super;
    Server *server;
    Way way;
} Door;

struct Server {
    Manager *m;
    h2o_globalconf_t config;
    h2o_hostconf_t *hosts[WAYS][2]; /* NULL-terminated */
    h2o_accept_ctx_t accept[WAYS];
    h2o_context_t context;
    h2o_evloop_t *loop;
    h2o_socket_t *event_socket;
    Listener *listeners;
    uint8_t entropy[1024];
    size_t entropy_left;
    Connections connections;
    Handshakes handshakes;
    unsigned requests; /* until the last byte of the answer is written */
    uint64_t closed_ms;
    h2o_timeout_entry_t tick; /* each second, while there are connections */
    RateWindow told;          /* that clients are turned away */
    bool closed;
};

/* Random bytes for request ids, fetched from the kernel by the page instead of by the call. */
static void make_request_id(Server *s, char ret[static 37]) {
    if (s->entropy_left < 16) {
        random_bytes(s->entropy, sizeof(s->entropy));
        s->entropy_left = sizeof(s->entropy);
    }
    s->entropy_left -= 16;
    uuid4_make(s->entropy + s->entropy_left, ret);
}

static void take_request_id(Server *s, Call *c) {
    h2o_iovec_t given = call_header(c, "x-request-id");

    if (given.len > 0 && given.len <= REQUEST_ID_MAX) {
        memcpy(c->request_id, given.base, given.len);
        c->request_id[given.len] = '\0';
        if (request_header_id_is_valid(c->request_id))
            return;
    }
    make_request_id(s, c->request_id);
}

/* Lives in the request's pool, and ends with it. */
typedef struct Open {
    Server *server;
    Connection *connection;
} Open;

static void on_request_end(void *userdata) {
    const Open *open = userdata;

    open->server->requests--;
    connection_answered(open->connection);
}

static int on_request(h2o_handler_t *handler, h2o_req_t *req) {
    Door *door = (Door *) handler;
    Call *c = h2o_mem_alloc_pool(&req->pool, sizeof(*c));
    Open *open = h2o_mem_alloc_shared(&req->pool, sizeof(*open), on_request_end);

    *open = (Open) { .server = door->server, .connection = connection_of(req) };
    door->server->requests++;
    connection_asked(open->connection, req);
    memset(c, 0, sizeof(*c));
    c->m = door->server->m;
    c->req = req;
    c->over_unix = door->way == WAY_UNIX;
    c->started_us = monotonic_us();
    take_request_id(door->server, c);
    route_call(c);
    return 0;
}

/* ---- libh2o's own errors, in the contract's words ---- */

/* Sees every answer before its headers go out. */
typedef struct Filter {
    h2o_filter_t super;
    Server *server;
} Filter;

typedef struct ErrorStream {
    h2o_ostream_t super;
    h2o_iovec_t body;
} ErrorStream;

static void error_stream_send(h2o_ostream_t *stream, h2o_req_t *req, h2o_iovec_t *bufs, size_t n, h2o_send_state_t state) {
    ErrorStream *self = (ErrorStream *) stream;

    if (state == H2O_SEND_STATE_FINAL)
        h2o_ostream_send_next(&self->super, req, &self->body, 1, state);
    else
        h2o_ostream_send_next(&self->super, req, NULL, 0, state);
}

static void on_setup_ostream(h2o_filter_t *filter, h2o_req_t *req, h2o_ostream_t **slot) {
    const char *text = reply_standing_text(req->res.status);

    if (req->res.status >= 400 && text && h2o_find_header_by_str(&req->res.headers, H2O_STRLIT("x-request-id"), -1) < 0) {
        Call unread = { .m = ((Filter *) filter)->server->m, .started_us = monotonic_us() };
        char id[37], json[128];

        metrics_answer(&unread, req->res.status);
        ErrorStream *stream = (ErrorStream *) h2o_add_ostream(req, sizeof(*stream), slot);
        slot = &stream->super.next;
        snprintf(json, sizeof(json), "{\"detail\":\"%s\"}", text);
        stream->super.do_send = error_stream_send;
        stream->body = h2o_strdup(&req->pool, json, SIZE_MAX);
        req->res.content_length = stream->body.len;
        uuid4(id);
        h2o_iovec_t copy = h2o_strdup(&req->pool, id, SIZE_MAX);
        h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, H2O_STRLIT("application/json"), 1);
        h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("x-request-id"), 0, NULL, copy.base, copy.len);
        if (req->version < 0x200 && !req->http1_is_persistent) /* a body that was not read */
            connection_linger(connection_of(req));
    }
    browser_add_headers(req, ((Filter *) filter)->server->m->settings);
    h2o_setup_next_ostream(req, slot);
}

/* ---- connections ---- */

static void on_tick(h2o_timeout_entry_t *entry);

static void tick_again(Server *s) {
    bool needed = s->connections.n > 0 || s->connections.intakes.lingers.n > 0;

    if (needed && !h2o_timeout_is_linked(&s->tick))
        h2o_timeout_link(s->loop, &s->context.one_sec_timeout, &s->tick);
}

static void on_tick(h2o_timeout_entry_t *entry) {
    Server *s = H2O_STRUCT_FROM_MEMBER(Server, tick, entry);

    connections_check(&s->connections, &s->context);
    tick_again(s);
}

/* Told at once, and closed when it was heard. Over TLS nothing can be said before a handshake, which costs more than we would save. */
static void turn_away(Listener *l, h2o_socket_t *connection, int status) {
    static const RateLimit once_a_minute = { .calls = 1, .window_ms = 60000 };
    LogContext about = { .message_id = MESSAGE_ID_TURNED_AWAY };
    _cleanup_buffer_ Buffer answer = { 0 };
    char peer[ADDRESS_TEXT_MAX];
    uint32_t wait;

    peer_text(h2o_socket_get_fd(connection), peer);
    about.peer = peer;
    if (rate_window_count(&l->server->told, &once_a_minute, monotonic_ms(), &wait))
        log_line(LOG_WARNING, &about, status == 429 ? "%s has as many connections as one address may, and is turned away"
                                                    : "There are as many connections as may be: %s is turned away", peer);
    if (l->way == WAY_HTTPS) {
        h2o_socket_close(connection);
        return;
    }
    early_reply_print(&answer, status, false);
    if (!answer.error)
        (void) send(h2o_socket_get_fd(connection), answer.data, answer.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    linger_begin(&l->server->connections.intakes.lingers, connection);
}

static void take(Listener *l, h2o_socket_t *connection) {
    Server *s = l->server;
    unsigned unread = UNREAD_MS;

    int status = connections_refuse(&s->connections, connection, l->way, s->m->settings);
    if (status != 0)
        turn_away(l, connection, status);
    else if (connection_new(&s->connections, connection, l->way) < 0)
        h2o_socket_close(connection);
    else {
        (void) setsockopt(h2o_socket_get_fd(connection), IPPROTO_TCP, TCP_USER_TIMEOUT, &unread, sizeof(unread)); /* not of api.sock */
        if (l->way == WAY_HTTPS)
            handshake_begin(&s->handshakes, &s->accept[l->way], connection);
        else
            h2o_accept(&s->accept[l->way], connection);
    }
}

static void on_accept(h2o_socket_t *socket, const char *error) {
    Listener *l = socket->data;

    for (unsigned i = 0; !error && i < ACCEPTS_PER_TURN; i++) {
        h2o_socket_t *connection = h2o_evloop_socket_accept(socket);
        if (!connection)
            break;
        take(l, connection);
    }
    tick_again(l->server);
}

void server_use_certificate(Server *s, SSL_CTX *context) {
    handshakes_init(&s->handshakes, context);
}

int server_add_listener(Server *s, int fd, Way way) {
    Listener *l = calloc(1, sizeof(*l));

    if (!l || set_nonblocking(fd, true) < 0) {
        free(l);
        close(fd);
        return -ENOMEM;
    }
    l->server = s;
    l->way = way;
    l->socket = h2o_evloop_socket_create(s->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    l->socket->data = l;
    l->next = s->listeners;
    s->listeners = l;
    h2o_socket_read_start(l->socket, on_accept);
    return 0;
}

/* ---- set-up and loop ---- */

static void on_event_ready(h2o_socket_t *socket, const char *error) {
    /* only a wake-up: server_run() gives sd-event its turn */
}

static void add_filter(Server *s, h2o_pathconf_t *path) {
    Filter *filter = (Filter *) h2o_create_filter(path, sizeof(*filter));

    filter->super.on_setup_ostream = on_setup_ostream;
    filter->server = s;
}

static void add_door(Server *s, Way way) {
    /* Never looked up by name: each listener has one host, which takes all. But two of the same name would be one. */
    static const char *const names[WAYS] = { [WAY_HTTP] = "http.invalid", [WAY_HTTPS] = "https.invalid", [WAY_UNIX] = "unix.invalid" };
    h2o_hostconf_t *host = h2o_config_register_host(&s->config, h2o_iovec_init(names[way], strlen(names[way])), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    Door *door = (Door *) h2o_create_handler(path, sizeof(*door));

    door->super.on_req = on_request;
    door->server = s;
    door->way = way;
    add_filter(s, path);
    add_filter(s, &host->fallback_path); /* before a path is known */
    s->hosts[way][0] = host;
    s->accept[way] = (h2o_accept_ctx_t) { .ctx = &s->context, .hosts = s->hosts[way] };
}

int server_new(Manager *m, Server **ret) {
    Server *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->m = m;
    s->tick.cb = on_tick;
    h2o_config_init(&s->config);
    s->config.server_name = h2o_iovec_init(H2O_STRLIT("tempoftp"));
    s->config.max_request_entity_size = ENTITY_MAX;
    s->config.http1.req_timeout = 2 * INTAKE_REQUEST_MS; /* intake.c comes first, with an answer */
    s->config.http2.idle_timeout = INTAKE_IDLE_MS;
    for (Way way = 0; way < WAYS; way++)
        add_door(s, way);
    s->loop = h2o_evloop_create();
    h2o_context_init(&s->context, s->loop, &s->config);

    int fd = fcntl(sd_event_get_fd(m->event), F_DUPFD_CLOEXEC, 3);
    if (fd < 0) {
        int r = -errno;
        server_free(s);
        return r;
    }
    s->event_socket = h2o_evloop_socket_create(s->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    h2o_socket_read_start(s->event_socket, on_event_ready);
    *ret = s;
    return 0;
}

int server_run(Server *s, int wait_ms) {
    int r;

    while ((r = sd_event_run(s->m->event, 0)) > 0)
        wait_ms = 0;
    if (r < 0)
        return r;
    if (h2o_evloop_run(s->loop, wait_ms) != 0 && errno != EINTR) /* a debugger, SIGCONT, a suspended machine */
        return -errno;
    intakes_arm(&s->connections.intakes);
    return 0;
}

unsigned server_connections(const Server *s) {
    return s->connections.n;
}

bool server_is_busy(const Server *s) {
    return s->requests > 0;
}

bool server_is_idle(const Server *s) {
    return s->connections.n == 0;
}

bool server_is_drained(const Server *s) {
    return s->requests == 0 && !connections_owe(&s->connections, s->closed_ms);
}

static void listeners_free(Server *s) {
    while (s->listeners) {
        Listener *l = s->listeners;
        s->listeners = l->next;
        h2o_socket_close(l->socket);
        free(l);
    }
}

uint64_t server_failed_handshakes(const Server *s) {
    return s->handshakes.failed;
}

void server_close(Server *s) {
    if (s->closed)
        return;
    s->closed = true;
    s->closed_ms = monotonic_ms();
    listeners_free(s);
    handshakes_drain(&s->handshakes);
    h2o_context_request_shutdown(&s->context);
}

Server *server_free(Server *s) {
    if (!s)
        return NULL;
    listeners_free(s);
    if (s->event_socket)
        h2o_socket_close(s->event_socket);
    lingers_done(&s->connections.intakes.lingers);
    h2o_timeout_unlink(&s->tick);
    /* Connections still open at this point belong to clients that did not end in time; the process is about to exit. */
    if (s->connections.n == 0) {
        h2o_timeout_entry_t *goodbye = &s->context.http2._graceful_shutdown_timeout; /* server_close() started it */
        if (h2o_timeout_is_linked(goodbye))
            h2o_timeout_unlink(goodbye);
        h2o_context_dispose(&s->context);
        h2o_config_dispose(&s->config);
        h2o_evloop_run(s->loop, 0);
        h2o_evloop_destroy(s->loop);
    }
    free(s);
    return NULL;
}
