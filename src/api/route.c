/* Dispatch. Reading the table is reading the API. */
#include "api/route.h"

#include "api/browser.h"
#include "api/http_head.h"
#include "api/rates.h"
#include "api/reply.h"
#include "api/resources.h"
#include "basic/strings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

static const Route routes[] = {
    { "GET", "/", root_get, GATE_ANYONE, LIMIT_NONE, 0, "the service is there" },
    { "GET", "/health", health_get, GATE_ANYONE, LIMIT_NONE, 0, "what works, really probed" },
    { "GET", "/metrics", metrics_get, GATE_SCRAPER, LIMIT_NONE, ROUTE_QUIET, "counters and gauges for Prometheus" },
    { "GET", "/openapi.json", openapi_get, GATE_ANYONE, LIMIT_NONE, 0, "this table and what is written about it, OpenAPI 3.1" },
    { "GET", "/docs", docs_page_get, GATE_ANYONE, LIMIT_NONE, 0, "a page to read it and try it out" },
    { "GET", "/docs/{}", docs_file_get, GATE_ANYONE, LIMIT_NONE, 0, "the page's files" },
    { "POST", "/tmpftp", request_post, GATE_USER, LIMIT_POST, ROUTE_BODY, "a new request" },
    { "GET", "/tmpftp", request_list, GATE_USER, LIMIT_NONE, 0, "requests, oldest first" },
    { "DELETE", "/tmpftp/expired", request_expire_due, GATE_OPERATOR, LIMIT_NONE, 0, "expire what is due" },
    { "DELETE", "/tmpftp/user/{}", request_delete_user, GATE_OPERATOR, LIMIT_NONE, 0, "an account and all its requests" },
    { "GET", "/tmpftp/{}", request_get, GATE_USER, LIMIT_NONE, 0, "one request" },
    { "DELETE", "/tmpftp/{}", request_delete, GATE_USER, LIMIT_NONE, 0, "take it away" },
    { "POST", "/tmpftp/{}/bloquear", request_block, GATE_OPERATOR, LIMIT_NONE, ROUTE_OPTIONAL_BODY, "withdraw access" },
    { "POST", "/tmpftp/{}/desbloquear", request_unblock, GATE_OPERATOR, LIMIT_NONE, ROUTE_OPTIONAL_BODY, "give it back" },
    { "POST", "/tmpftp/{}/extender", request_extend, GATE_OPERATOR, LIMIT_NONE, ROUTE_BODY, "more days" },
    { "PUT", "/tmpftp/{}/buzon", request_drop, GATE_PROVEN_OPERATOR, LIMIT_NONE, ROUTE_OPTIONAL_BODY, "a drop folder for its account, or another quota" },
    { "DELETE", "/tmpftp/{}/buzon", request_no_drop, GATE_PROVEN_OPERATOR, LIMIT_NONE, 0, "take the drop folder away" },
    { "GET", "/tmpftp/{}/eventos", request_events, GATE_USER, LIMIT_NONE, 0, "its history, live as text/event-stream" },
    { "GET", "/sesiones", session_list, GATE_PROVEN_OPERATOR, LIMIT_NONE, 0, "who is connected to the FTP server" },
    { "DELETE", "/sesiones/{}", session_end, GATE_PROVEN_OPERATOR, LIMIT_NONE, 0, "ends one session, or all of an account" },
    { "POST", "/auth/register", auth_register, GATE_ANYONE, LIMIT_REGISTER, ROUTE_BODY, "a new user" },
    { "POST", "/auth/login", auth_login, GATE_ANYONE, LIMIT_LOGIN, ROUTE_BODY | ROUTE_VISIT, "a token for a password" },
    { "POST", "/auth/logout", auth_logout, GATE_TOKEN, LIMIT_NONE, ROUTE_VISIT, "the end of all tokens of this user" },
    { "POST", "/token/create", onetime_create, GATE_TOKEN, LIMIT_TOKEN_CREATE, ROUTE_VISIT, "a one-time token" },
    { "POST", "/token/validate", onetime_validate, GATE_TOKEN, LIMIT_TOKEN_VALIDATE, ROUTE_BODY | ROUTE_VISIT, "spends a one-time token" },
    { "GET", "/api/usuarios", user_list, GATE_PROVEN_OPERATOR, LIMIT_NONE, 0, "who may log in" },
    { "PATCH", "/api/usuarios/{}", user_patch, GATE_PROVEN_OPERATOR, LIMIT_NONE, ROUTE_BODY, "activate, deactivate, another role or password" },
    { "GET", "/api/destinations", destination_list, GATE_PROVEN_OPERATOR, LIMIT_NONE, 0, "where finished requests can be sent on to" },
    { "POST", "/api/destinations", destination_post, GATE_PROVEN_OPERATOR, LIMIT_NONE, ROUTE_BODY, "a new destination" },
    { "GET", "/api/destinations/{}", destination_get, GATE_PROVEN_OPERATOR, LIMIT_NONE, 0, "one destination" },
    { "PUT", "/api/destinations/{}", destination_put, GATE_PROVEN_OPERATOR, LIMIT_NONE, ROUTE_BODY, "change what the body names" },
    { "DELETE", "/api/destinations/{}", destination_delete, GATE_PROVEN_OPERATOR, LIMIT_NONE, 0, "take it away; what is on its way there is cancelled" },
    { "POST", "/api/destinations/{}/test", destination_test, GATE_PROVEN_OPERATOR, LIMIT_NONE, 0, "connect, log in, write: which step fails" },
    { "POST", "/api/jobs/{}/export/ftp", export_ftp, GATE_PROVEN_OPERATOR, LIMIT_NONE, ROUTE_BODY, "send a finished request to an FTP or FTPS destination" },
    { "POST", "/api/jobs/{}/export/sftp", export_sftp, GATE_PROVEN_OPERATOR, LIMIT_NONE, ROUTE_BODY, "send a finished request to an SFTP destination" },
    { "GET", "/api/jobs/{}/exports", export_list, GATE_USER, LIMIT_NONE, 0, "each time that a request was sent on" },
    { "DELETE", "/api/jobs/{}/exports/{}", export_cancel, GATE_PROVEN_OPERATOR, LIMIT_NONE, 0, "stop sending" },
    { "GET", "/api/jobs/{}/logs", export_logs, GATE_USER, LIMIT_NONE, 0, "the log of a request's uploads" },
    { "GET", "/api/auditoria", audit_list, GATE_PROVEN_OPERATOR, LIMIT_NONE, 0, "who did what" },
};

/* Each has its own windows, by user, else by address. The names stand in the state database. */
static const struct {
    const char *name;
    size_t offset; /* of its RateLimit in Settings */
} limits[LIMIT_MAX] = {
    [LIMIT_POST] = { "post", offsetof(Settings, rate_post) },
    [LIMIT_REGISTER] = { "register", offsetof(Settings, rate_register) },
    [LIMIT_LOGIN] = { "login", offsetof(Settings, rate_login) },
    [LIMIT_TOKEN_CREATE] = { "token/create", offsetof(Settings, rate_token_create) },
    [LIMIT_TOKEN_VALIDATE] = { "token/validate", offsetof(Settings, rate_token_validate) },
};

const Route *route_table(size_t *ret_n) {
    *ret_n = ELEMENTS(routes);
    return routes;
}

const RateLimit *route_limit(RouteLimit which, const Settings *settings) {
    return which == LIMIT_NONE ? NULL : (const RateLimit *) ((const char *) settings + limits[which].offset);
}

const RateLimit *route_limit_by_name(const char *name, size_t size, const void *settings) {
    for (RouteLimit i = 0; i < LIMIT_MAX; i++)
        if (limits[i].name && strlen(limits[i].name) == size && memcmp(limits[i].name, name, size) == 0)
            return route_limit(i, settings);
    return NULL;
}

/* Does the path match? Fills param and second with what stood at the first {} and at the next. */
static bool path_matches(const char *pattern, const char *path, size_t length, Call *c) {
    char *param = c->param;
    size_t param_size = sizeof(c->param);
    const char *end = path + length;

    while (*pattern) {
        if (*pattern == '{') {
            const char *stop = memchr(path, '/', (size_t) (end - path));
            if (!stop)
                stop = end;
            if (stop == path || percent_decode(path, (size_t) (stop - path), param, param_size) < 0)
                return false;
            pattern += 2;
            path = stop;
            param = c->second;
            param_size = sizeof(c->second);
        } else if (path < end && *path == *pattern) {
            path++;
            pattern++;
        } else
            return false;
    }
    return path == end;
}

static bool method_matches(const h2o_req_t *req, const char *method) {
    if (h2o_memis(req->method.base, req->method.len, method, strlen(method)))
        return true;
    return streq(method, "GET") && h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
}

static void add_method(char *list, size_t size, const char *method) {
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s%s", used ? ", " : "", method, streq(method, "GET") ? ", HEAD" : "");
}

static bool is_json(h2o_iovec_t type) {
    static const char json[] = "application/json";
    size_t n = sizeof(json) - 1;
    return type.len >= n && strncasecmp(type.base, json, n) == 0 && (type.len == n || type.base[n] == ';' || type.base[n] == ' ');
}

/* The body's rules; answers and returns false when they are broken. */
static bool body_is_acceptable(Call *c) {
    size_t size = c->req->entity.len;

    if (size > REQUEST_BODY_MAX) {
        reply_detail(c, 413, reply_standing_text(413));
        return false;
    }
    bool wanted = c->route->flags & ROUTE_BODY;
    bool allowed = wanted || (c->route->flags & ROUTE_OPTIONAL_BODY);
    if ((wanted || (allowed && size > 0)) && !is_json(call_header(c, "content-type"))) {
        reply_detail(c, 415, reply_standing_text(415));
        return false;
    }
    return true;
}

/* Counts the call; answers 429 and returns false when there were too many. Operators on the Unix socket are free. */
static bool is_within_limit(Call *c) {
    RouteLimit which = c->route->limit;
    const RateLimit *limit = route_limit(which, c->m->settings);
    char user[32], text[16];
    uint32_t wait;

    if (!limit || (c->over_unix && c->operator))
        return true;
    call_identify(c);
    snprintf(user, sizeof(user), "user:%" PRIu64, c->user);
    if (rates_count(c->m->rates, limits[c->route->limit].name, c->user != 0 ? user : c->peer, limit, &wait))
        return true;
    snprintf(text, sizeof(text), "%u", wait);
    reply_header(c, "retry-after", text);
    reply_detail(c, 429, reply_standing_text(429));
    return false;
}

/* Over HTTP/1 intake.c has said it before; HTTP/2 is libh2o's until here. */
static bool head_is_acceptable(Call *c) {
    const h2o_headers_t *headers = &c->req->headers;
    size_t size = c->req->path.len;
    int status = 0;

    for (size_t i = 0; i < headers->size; i++)
        size += headers->entries[i].name->len + headers->entries[i].value.len;
    if (c->req->path.len > HTTP_TARGET_MAX)
        status = 414;
    else if (size > HTTP_HEAD_MAX || headers->size > HTTP_HEADERS_MAX)
        status = 431;
    if (status != 0)
        reply_detail(c, status, reply_standing_text(status));
    return status == 0;
}

void route_call(Call *c) {
    const h2o_req_t *req = c->req;
    size_t length = req->query_at == SIZE_MAX ? req->path.len : req->query_at;
    char allowed[128] = "";

    if (!head_is_acceptable(c))
        return;
    for (size_t i = 0; i < ELEMENTS(routes); i++) {
        if (!path_matches(routes[i].path, req->path.base, length, c))
            continue;
        if (!method_matches(req, routes[i].method)) {
            add_method(allowed, sizeof(allowed), routes[i].method);
            continue;
        }
        c->route = &routes[i];
        if (!(c->route->flags & ROUTE_QUIET))
            c->m->active_ms = c->started_us / 1000;
        if (gate_check(c, c->route->rule) && is_within_limit(c) && body_is_acceptable(c))
            c->route->handler(c);
        return;
    }
    if (!allowed[0]) {
        reply_detail(c, 404, reply_standing_text(404));
        return;
    }
    add_method(allowed, sizeof(allowed), "OPTIONS");
    reply_header(c, "allow", allowed);
    if (!h2o_memis(req->method.base, req->method.len, H2O_STRLIT("OPTIONS"))) {
        reply_detail(c, 405, reply_standing_text(405));
        return;
    }
    browser_allow_methods(c->req, c->m->settings, allowed);
    reply_json(c, 204, NULL);
}
