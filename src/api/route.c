/* Dispatch. Reading the table is reading the API. */
#include "api/route.h"

#include "api/rates.h"
#include "api/reply.h"
#include "api/resources.h"
#include "basic/strings.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

static const Route routes[] = {
    { "GET", "/", root_get, 0, "the service is there" },
    { "GET", "/health", health_get, 0, "what works, really probed" },
    { "POST", "/tmpftp", request_post, ROUTE_BODY | ROUTE_RATE_POST, "a new request" },
    { "GET", "/tmpftp", request_list, 0, "requests, oldest first" },
    { "DELETE", "/tmpftp/expired", request_expire_due, 0, "expire what is due" },
    { "DELETE", "/tmpftp/user/{}", request_delete_user, 0, "an account and all its requests" },
    { "GET", "/tmpftp/{}", request_get, 0, "one request" },
    { "DELETE", "/tmpftp/{}", request_delete, 0, "take it away" },
    { "POST", "/tmpftp/{}/bloquear", request_block, ROUTE_OPTIONAL_BODY, "withdraw access" },
    { "POST", "/tmpftp/{}/desbloquear", request_unblock, ROUTE_OPTIONAL_BODY, "give it back" },
    { "POST", "/tmpftp/{}/extender", request_extend, ROUTE_BODY, "more days" },
    { "PUT", "/tmpftp/{}/buzon", request_drop, ROUTE_OPTIONAL_BODY | ROUTE_OPERATOR, "a drop folder for its account, or another quota" },
    { "DELETE", "/tmpftp/{}/buzon", request_no_drop, ROUTE_OPERATOR, "take the drop folder away" },
    { "GET", "/tmpftp/{}/eventos", request_events, 0, "its history, live as text/event-stream" },
    { "GET", "/sesiones", session_list, ROUTE_OPERATOR, "who is connected to the FTP server" },
    { "DELETE", "/sesiones/{}", session_end, ROUTE_OPERATOR, "ends one session, or all of an account" },
};

/* Does the path match? Fills param with what stood at {}. */
static bool path_matches(const char *pattern, const char *path, size_t length, char *param, size_t param_size) {
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

void route_call(Call *c) {
    const h2o_req_t *req = c->req;
    size_t length = req->query_at == SIZE_MAX ? req->path.len : req->query_at;
    char allowed[128] = "";

    for (size_t i = 0; i < ELEMENTS(routes); i++) {
        if (!path_matches(routes[i].path, req->path.base, length, c->param, sizeof(c->param)))
            continue;
        if (!method_matches(req, routes[i].method)) {
            add_method(allowed, sizeof(allowed), routes[i].method);
            continue;
        }
        c->route = &routes[i];
        if ((routes[i].flags & ROUTE_OPERATOR) && !c->over_unix) {
            reply_detail(c, 403, reply_standing_text(403));
            return;
        }
        uint32_t wait;
        if (routes[i].flags & ROUTE_RATE_POST)
            call_identify(c);
        if ((routes[i].flags & ROUTE_RATE_POST) && !c->over_unix &&
            !rates_count(c->m->rates, "post", c->peer, &c->m->settings->rate_post, &wait)) {
            char text[16];
            snprintf(text, sizeof(text), "%u", wait);
            reply_header(c, "retry-after", text);
            reply_detail(c, 429, reply_standing_text(429));
        } else if (body_is_acceptable(c))
            routes[i].handler(c);
        return;
    }
    if (!allowed[0]) {
        reply_detail(c, 404, reply_standing_text(404));
        return;
    }
    reply_header(c, "allow", allowed);
    reply_detail(c, 405, reply_standing_text(405));
}
