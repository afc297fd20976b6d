/* Headers for browsers: two tables and one list of origins. It knows no call; what an answer says about itself goes before what stands here. */
#define H2O_USE_LIBUV 0
#include "api/browser.h"

#include "basic/strings.h"

#define PREFLIGHT_SECONDS "600" /* what browsers may remember; a change of the settings is known within that */

/* Nothing of the API is a page: what a browser is made to show all the same can load, send and be framed by nothing. */
static const struct Default {
    const char *name, *value;
    bool tls_only;
} defaults[] = {
    { "content-security-policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", false },
    { "x-content-type-options", "nosniff", false },
    { "referrer-policy", "no-referrer", false },
    { "cross-origin-resource-policy", "same-origin", false },
    { "cache-control", "no-store", false }, /* credentials, or who has which request */
    { "strict-transport-security", "max-age=31536000", true },
};

/* What pages of a known origin may read and send besides what every page may. */
#define READABLE "Location, Retry-After, X-Request-ID, Allow, ETag"
#define SENDABLE "Authorization, Content-Type, X-Request-ID, Last-Event-ID, If-None-Match"

static bool has_header(const h2o_req_t *req, const char *name) {
    return h2o_find_header_by_str(&req->res.headers, name, strlen(name), -1) >= 0;
}

static void add_header(h2o_req_t *req, const char *name, const char *value) {
    h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 1, NULL, value, strlen(value));
}

bool browser_is_over_tls(const h2o_req_t *req) {
    const h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    return socket && socket->ssl;
}

/* The entry of the list, which lives as long as the service: what a client sent is never sent back. */
static const char *known_origin(const h2o_req_t *req, const Settings *settings) {
    ssize_t at = h2o_find_header_by_str(&req->headers, H2O_STRLIT("origin"), -1);

    if (at < 0)
        return NULL;
    h2o_iovec_t given = req->headers.entries[at].value;
    for (char *const *p = settings->cors_origins; p && *p; p++)
        if (h2o_memis(given.base, given.len, *p, strlen(*p)))
            return *p;
    return NULL;
}

void browser_add_headers(h2o_req_t *req, const Settings *settings) {
    bool over_tls = browser_is_over_tls(req);

    for (size_t i = 0; i < ELEMENTS(defaults); i++)
        if ((over_tls || !defaults[i].tls_only) && !has_header(req, defaults[i].name))
            add_header(req, defaults[i].name, defaults[i].value);
    if (!settings->cors_origins)
        return;
    if (!has_header(req, "vary"))
        add_header(req, "vary", "Origin"); /* also where none is named: the answer to another page would differ */
    const char *origin = known_origin(req, settings);
    if (!origin)
        return;
    add_header(req, "access-control-allow-origin", origin);
    add_header(req, "access-control-expose-headers", READABLE);
}

void browser_print_headers(Buffer *to, bool over_tls) {
    for (size_t i = 0; i < ELEMENTS(defaults); i++)
        if (over_tls || !defaults[i].tls_only)
            buffer_printf(to, "%s: %s\r\n", defaults[i].name, defaults[i].value);
}

void browser_allow_methods(h2o_req_t *req, const Settings *settings, const char *methods) {
    if (!settings->cors_origins)
        return;
    add_header(req, "vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    if (!known_origin(req, settings) || h2o_find_header_by_str(&req->headers, H2O_STRLIT("access-control-request-method"), -1) < 0)
        return;
    h2o_iovec_t copy = h2o_strdup(&req->pool, methods, SIZE_MAX);
    add_header(req, "access-control-allow-methods", copy.base);
    add_header(req, "access-control-allow-headers", SENDABLE);
    add_header(req, "access-control-max-age", PREFLIGHT_SECONDS);
}
