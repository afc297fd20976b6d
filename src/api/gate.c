/* Access: keys, sessions, peer credentials, and the one decision between them and a route's rule.
 * It knows what callers are, not what calls do. */
#include "api/gate.h"

#include "api/reply.h"
#include "basic/strings.h"
#include "crypto/jwt.h"
#include "crypto/password.h"
#include "model/messages.h"
#include "model/network.h"

#include <errno.h>
#include <grp.h>
#include <strings.h>

#define ADMIN_GROUP "tempoftp-admin"
#define GROUP_BUFFER_SIZE 65536
#define SCHEME "Bearer "

/* A token that was found right. */
typedef struct Session {
    char *token; /* NULL: a free place */
    size_t size;
    int64_t expires;
    uint64_t user;
    bool operator;
    char email[EMAIL_MAX + 1];
} Session;

struct Gate {
    JwtKeys *keys; /* NULL: none, and nobody can log in */
    gid_t admin;   /* (gid_t) -1: there is no such group */
    Session sessions[GATE_SESSIONS_MAX];
};

/* ---- set-up ---- */

static int keys_open(const Settings *settings, JwtKeys **ret) {
    const char *why;

    if (is_blank(settings->jwt_key)) {
        if (settings->auth == AUTH_OFF)
            return 0; /* who never logs in needs none */
        log_error("TEMPOFTP_JWT_KEY is not set: put a key (`tempoftp clave` prints a new one) into /etc/tempoftp/jwt.key, mode 0600, or into the "
                  "environment; without access control, TEMPOFTP_AUTH=off, none is needed");
        return -ENOKEY;
    }
    int r = jwt_keys_parse(settings->jwt_key, ret, &why);
    if (r < 0 && r != -ENOMEM)
        log_error("TEMPOFTP_JWT_KEY is malformed: %s", why);
    return r;
}

static gid_t find_admin_group(void) {
    _cleanup_free_ char *buffer = malloc(GROUP_BUFFER_SIZE);
    struct group entry, *found = NULL;

    if (!buffer || getgrnam_r(ADMIN_GROUP, &entry, buffer, GROUP_BUFFER_SIZE, &found) != 0 || !found)
        return (gid_t) -1;
    return entry.gr_gid;
}

int gate_new(const Settings *settings, Gate **ret) {
    LogContext about = { .message_id = MESSAGE_ID_AUTH_OFF };
    Gate *a = calloc(1, sizeof(*a));

    if (!a)
        return -ENOMEM;
    int r = keys_open(settings, &a->keys);
    if (r < 0) {
        gate_free(a);
        return r;
    }
    a->admin = find_admin_group();
    if (settings->auth == AUTH_OFF)
        log_line(LOG_WARNING, &about, "TEMPOFTP_AUTH=off: whoever reaches the API may see, make and remove every request");
    *ret = a;
    return 0;
}

static void session_drop(Session *s) {
    wipe_free(s->token);
    *s = (Session) { 0 };
}

void gate_forget(Gate *a) {
    for (size_t i = 0; i < GATE_SESSIONS_MAX; i++)
        session_drop(&a->sessions[i]);
}

Gate *gate_free(Gate *a) {
    if (!a)
        return NULL;
    gate_forget(a);
    jwt_keys_free(a->keys);
    free(a);
    return NULL;
}

/* ---- tokens ---- */

int gate_token(Manager *m, const User *user, char **ret) {
    JwtClaims claims = { .issued = manager_now(m), .generation = user->generation };

    if (!m->gate->keys)
        return -ENOKEY;
    claims.expires = claims.issued + (int64_t) m->settings->access_minutes * 60;
    strcpy(claims.issuer, m->settings->app_name);
    strcpy(claims.subject, user->email);
    return jwt_encode(m->gate->keys, &claims, ret);
}

/* What a token says of its user counts only as far as the database agrees. */
static bool session_open(Manager *m, const char *token, size_t size, Session *ret) {
    JwtClaims claims;
    User user;

    if (!m->gate->keys || jwt_verify(m->gate->keys, token, size, manager_now(m), &claims) < 0 || !streq(claims.issuer, m->settings->app_name) ||
        store_user_by_email(m->store, claims.subject, &user) < 0 || !user.active || user.generation != claims.generation)
        return false;
    Session s = { .size = size, .expires = claims.expires, .user = user.id, .operator = user.role == ROLE_OPERADOR };
    s.token = strndup(token, size);
    if (!s.token)
        return false;
    strcpy(s.email, user.email);
    *ret = s;
    return true;
}

/* The place of a token: its last letters are of its signature, and nobody can choose them. */
static Session *session_place(Gate *a, const char *token, size_t size) {
    uint64_t tail = 0;

    if (size >= sizeof(tail) + 1)
        memcpy(&tail, token + size - sizeof(tail) - 1, sizeof(tail)); /* the very last one has spare bits */
    return &a->sessions[(tail * 0x9e3779b97f4a7c15u >> 32) % GATE_SESSIONS_MAX];
}

/* Only the signature is a secret: whoever has the rest of it has nothing. */
static bool session_is_of(const Session *s, const char *token, size_t size) {
    const size_t secret = JWT_SIGNATURE_SIZE - 1;

    return s->token && s->size == size && size > secret && memcmp(s->token, token, size - secret) == 0 &&
           equal_constant_time(s->token + size - secret, token + size - secret, secret);
}

static const Session *session_of(Manager *m, const char *token, size_t size) {
    Session *s = session_place(m->gate, token, size), fresh;

    if (session_is_of(s, token, size)) {
        if (s->expires > manager_now(m))
            return s;
        session_drop(s);
        return NULL;
    }
    if (!session_open(m, token, size, &fresh))
        return NULL;
    session_drop(s);
    *s = fresh;
    return s;
}

static const Session *session_of_call(const Call *c) {
    ssize_t at = h2o_find_header(&c->req->headers, H2O_TOKEN_AUTHORIZATION, -1);

    if (at < 0)
        return NULL;
    h2o_iovec_t value = c->req->headers.entries[at].value;
    if (value.len <= strlen(SCHEME) || strncasecmp(value.base, SCHEME, strlen(SCHEME)) != 0)
        return NULL;
    return session_of(c->m, value.base + strlen(SCHEME), value.len - strlen(SCHEME));
}

/* ---- the Unix socket ---- */

static bool has_group(int fd, gid_t wanted) {
    gid_t some[64];
    _cleanup_free_ gid_t *all = NULL;
    gid_t *groups = some;
    socklen_t size = sizeof(some);

    int r = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, some, &size);
    if (r < 0 && errno == ERANGE) { /* size says how many there are */
        groups = all = malloc(size);
        r = all ? getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, all, &size) : -1;
    }
    for (size_t i = 0; r >= 0 && i < size / sizeof(gid_t); i++)
        if (groups[i] == wanted)
            return true;
    return false;
}

/* The socket's mode keeps others away already; this holds also where somebody widened it. */
static bool peer_is_operator(const Call *c) {
    h2o_socket_t *connection = c->req->conn->callbacks->get_socket(c->req->conn);
    gid_t admin = c->m->gate->admin;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (!connection || getsockopt(h2o_socket_get_fd(connection), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    if (peer.uid == 0 || (manager_is_simulator(c->m) && peer.uid == geteuid()))
        return true;
    return admin != (gid_t) -1 && (peer.gid == admin || has_group(h2o_socket_get_fd(connection), admin));
}

/* ---- the decision ---- */

static const GateMay rules[GATE_RULE_MAX] = {
    [GATE_ANYONE] = { .anyone = true },
    [GATE_USER] = { .opens = true, .user = true, .operator = true },
    [GATE_OPERATOR] = { .opens = true, .operator = true },
    [GATE_PROVEN_OPERATOR] = { .operator = true },
    [GATE_SCRAPER] = { .operator = true, .scraper = true },
    [GATE_TOKEN] = { .user = true },
};

const GateMay *gate_may(GateRule rule) {
    return &rules[rule];
}

static void reply_unauthorized(Call *c) {
    reply_header(c, "www-authenticate", "Bearer");
    reply_detail(c, 401, reply_standing_text(401));
}

static bool is_scraper(Call *c) {
    call_identify(c);
    return networks_contain(c->m->settings->metrics_from, c->peer);
}

bool gate_check(Call *c, GateRule rule) {
    const Session *s = session_of_call(c);

    c->operator = (s && s->operator) || (c->over_unix && peer_is_operator(c)) || (rules[rule].opens && c->m->settings->auth == AUTH_OFF);
    if (s) {
        c->user = s->user;
        strcpy(c->email, s->email);
    }
    if (rules[rule].anyone || (rules[rule].operator && c->operator) || (rules[rule].user && c->user != 0) ||
        (rules[rule].scraper && is_scraper(c)))
        return true;
    if (c->user == 0)
        reply_unauthorized(c);
    else
        reply_detail(c, 403, reply_standing_text(403));
    return false;
}
