/* Calls: birth in the request's pool, detaching for answers that come later, and reading of what the client sent.
 * It knows HTTP, not what the calls mean. */
#include "api/call.h"

#include "basic/strings.h"
#include "model/forwarded.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>

/* Lives in the request's pool: tells the detached call that its client has gone. */
struct CallGuard {
    Call *call;
};

static void guard_dispose(void *p) {
    struct CallGuard *guard = p;

    if (guard->call) {
        guard->call->req = NULL;
        guard->call->guard = NULL;
    }
}

static void identify_unix(Call *c) {
    struct ucred peer = { .uid = (uid_t) -1 };
    socklen_t size = sizeof(peer);
    h2o_socket_t *socket = c->req->conn->callbacks->get_socket(c->req->conn);

    strcpy(c->peer, "unix");
    if (!socket || getsockopt(h2o_socket_get_fd(socket), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        strcpy(c->actor, "unix:?");
        return;
    }
    const struct passwd *user = getpwuid(peer.uid);
    if (user)
        snprintf(c->actor, sizeof(c->actor), "unix:%.32s", user->pw_name);
    else
        snprintf(c->actor, sizeof(c->actor), "unix:%u", peer.uid);
}

/* All X-Forwarded-For lines as one, in the request's memory; libh2o has limited what it may be. */
static h2o_iovec_t forwarded_chain(Call *c) {
    h2o_iovec_t chain = { NULL, 0 };

    for (ssize_t at = -1; (at = h2o_find_header(&c->req->headers, H2O_TOKEN_X_FORWARDED_FOR, at)) >= 0;) {
        h2o_iovec_t value = c->req->headers.entries[at].value;
        chain = chain.len > 0 ? h2o_concat(&c->req->pool, chain, h2o_iovec_init(H2O_STRLIT(",")), value) : value;
    }
    return chain;
}

static void identify_tcp(Call *c) {
    char *const *proxies = c->m->settings->proxies;
    struct sockaddr_storage address;
    char peer[ADDRESS_TEXT_MAX] = "unknown";

    if (c->req->conn->callbacks->get_peername(c->req->conn, (struct sockaddr *) &address) > 0)
        address_text((struct sockaddr *) &address, peer);
    h2o_iovec_t chain = proxies ? forwarded_chain(c) : h2o_iovec_init(NULL, 0);
    forwarded_client(proxies, peer, chain.base, chain.len, c->peer);
    snprintf(c->actor, sizeof(c->actor), "api:%s", c->peer);
}

void call_identify(Call *c) {
    if (c->peer[0] || !c->req)
        return;
    if (c->over_unix)
        identify_unix(c);
    else
        identify_tcp(c);
    if (c->user != 0)
        snprintf(c->actor, sizeof(c->actor), "user:%s", c->email);
    c->at = manager_now(c->m);
}

const char *call_owner(const Call *c) {
    return c->operator ? NULL : c->email;
}

void call_detail(Call *c, const char *format, ...) {
    char text[AUDIT_DETAIL_MAX + 1];
    va_list arguments;

    va_start(arguments, format);
    (void) vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    text_cut(text, c->detail, sizeof(c->detail));
}

void call_wipe_body(Call *c) {
    wipe(c->req->entity.base, c->req->entity.len);
}

Call *call_detach(Call *c) {
    Call *copy = malloc(sizeof(*copy));

    if (!copy)
        return NULL;
    call_identify(c);
    *copy = *c;
    copy->detached = true;
    copy->guard = NULL;
    if (c->req) {
        copy->guard = h2o_mem_alloc_shared(&c->req->pool, sizeof(*copy->guard), guard_dispose);
        copy->guard->call = copy;
    }
    manager_hold(c->m);
    return copy;
}

void call_answered(Call *c) {
    c->req = NULL;
    if (c->guard)
        c->guard->call = NULL;
    c->guard = NULL;
}

void call_done(Call *c) {
    if (!c || !c->detached)
        return;
    call_answered(c);
    manager_release(c->m);
    free(c);
}

Actor call_actor(const Call *c) {
    return (Actor) { .name = c->actor, .request_id = c->request_id, .now = manager_now(c->m) };
}

LogContext call_log(Call *c, const char *id) {
    call_identify(c);
    return (LogContext) { .request = id, .http = c->request_id, .peer = c->peer };
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int percent_decode(const char *text, size_t length, char *ret, size_t size) {
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        int c = (unsigned char) text[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < length ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return -EINVAL;
            c = high << 4 | low;
            i += 2;
        }
        if (c == 0 || n + 1 >= size)
            return -EINVAL;
        ret[n++] = (char) c;
    }
    ret[n] = '\0';
    return 0;
}

int call_query(const Call *c, const char *name, char *ret, size_t size) {
    const h2o_req_t *req = c->req;
    size_t name_length = strlen(name);

    if (req->query_at == SIZE_MAX)
        return -ENOENT;
    const char *at = req->path.base + req->query_at + 1, *end = req->path.base + req->path.len;
    while (at < end) {
        const char *stop = memchr(at, '&', (size_t) (end - at));
        if (!stop)
            stop = end;
        if ((size_t) (stop - at) > name_length && memcmp(at, name, name_length) == 0 && at[name_length] == '=')
            return percent_decode(at + name_length + 1, (size_t) (stop - at) - name_length - 1, ret, size);
        at = stop + 1;
    }
    return -ENOENT;
}

h2o_iovec_t call_header(const Call *c, const char *name) {
    ssize_t at = h2o_find_header_by_str(&c->req->headers, name, strlen(name), -1);
    return at < 0 ? (h2o_iovec_t) { NULL, 0 } : c->req->headers.entries[at].value;
}
