/* The yardstick for GET: libh2o answering a constant from memory, with the same library, loop and headers as tempoftpd and nothing behind it.
 * Usage: bench-bare-h2o PORT BODY_SIZE */
#define H2O_USE_LIBUV 0
#include <arpa/inet.h>
#include <h2o.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Bench {
    h2o_handler_t super;
    h2o_iovec_t body;
} Bench;

static int on_request(h2o_handler_t *handler, h2o_req_t *req) {
    Bench *b = (Bench *) handler;

    req->res.status = 200;
    req->res.reason = "OK";
    req->res.content_length = b->body.len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, H2O_STRLIT("application/json"));
    h2o_send_inline(req, b->body.base, b->body.len);
    return 0;
}

static void on_accept(h2o_socket_t *listener, const char *error) {
    h2o_socket_t *connection;

    if (!error && (connection = h2o_evloop_socket_accept(listener)))
        h2o_accept(listener->data, connection);
}

int main(int argc, char **argv) {
    h2o_globalconf_t config;
    h2o_context_t context;
    h2o_accept_ctx_t accept = { .ctx = &context };
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    if (argc != 3)
        return 2;
    address.sin_port = htons((uint16_t) atoi(argv[1]));
    signal(SIGPIPE, SIG_IGN);
    h2o_config_init(&config);
    h2o_hostconf_t *host = h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    Bench *bench = (Bench *) h2o_create_handler(h2o_config_register_path(host, "/", 0), sizeof(*bench));
    bench->super.on_req = on_request;
    bench->body.len = (size_t) atoi(argv[2]);
    bench->body.base = malloc(bench->body.len);
    memset(bench->body.base, 'x', bench->body.len);
    h2o_context_init(&context, h2o_evloop_create(), &config);
    accept.hosts = config.hosts;

    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int));
    if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 1024) < 0) {
        perror("bench-bare-h2o");
        return 1;
    }
    h2o_socket_t *listener = h2o_evloop_socket_create(context.loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    listener->data = &accept;
    h2o_socket_read_start(listener, on_accept);
    while (h2o_evloop_run(context.loop, 1000) == 0) {
    }
    return 1;
}
