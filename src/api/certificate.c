/* Which certificate the API uses: the one that is given, or the last that was good. What makes one bad is crypto/tls_context.c's to say; what is done about it
 * stands here. It knows no sockets. */
#include "api/certificate.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/messages.h"

#include <errno.h>
#include <stdio.h>

#define KEPT_NOTE "https certificate" /* a Fernet token of certificate, NUL, key */
#define WHY_SIZE 128

/* From the best. */
typedef enum Worth { WORTH_GOOD, WORTH_OUT_OF_DATE, WORTH_NOTHING } Worth;

typedef struct Pair {
    char *certificate, *key; /* PEM texts; NULL: could not be read */
    SSL_CTX *context;
    int64_t until;
    Worth worth;
    char why[WHY_SIZE]; /* it is not good */
} Pair;

struct Certificate {
    SSL_CTX *context;
    int64_t until;
    bool kept; /* not the one that is given */
    char why[WHY_SIZE]; /* the given one is not good */
};

static void pair_done(Pair *p) {
    free(p->certificate);
    wipe_free(p->key);
    tls_context_free(p->context);
}

static void day_format(int64_t utc, char ret[static RFC3339_SIZE]) {
    rfc3339_format(utc, ret);
    *strchr(ret, 'T') = '\0';
}

/* ---- what it is worth ---- */

static void judge(Pair *p, int64_t now) {
    const char *fault = "there is not enough memory";
    char day[RFC3339_SIZE];
    int64_t from;

    p->worth = WORTH_NOTHING;
    if (!p->certificate || !p->key) /* whoever could not read it has said why */
        return;
    int r = tls_context_with_pair("api", p->certificate, p->key, &p->context, &fault);
    if (r >= 0 && tls_context_validity(p->context, &from, &p->until) < 0)
        fault = "the certificate does not say until when it is good";
    else if (r >= 0) {
        p->worth = now < from || now > p->until ? WORTH_OUT_OF_DATE : WORTH_GOOD;
        day_format(now < from ? from : p->until, day);
        snprintf(p->why, sizeof(p->why), now < from ? "it is not good before %s" : "it was good until %s", day);
        return;
    }
    snprintf(p->why, sizeof(p->why), "%s", fault);
}

/* ---- the one that is given ---- */

/* A blank file is what the unit hands over in place of one that is not there. */
static int read_pem(const char *credential, const char *path, const char *what, char **ret, char why[static WHY_SIZE]) {
    size_t size;

    int r = read_credential(credential, TLS_PEM_MAX, ret);
    if (r == -ENOENT)
        r = read_file(path, TLS_PEM_MAX, ret, &size);
    if (r >= 0 && is_blank(*ret)) {
        wipe_free(TAKE_PTR(*ret));
        r = -ENOENT;
    }
    if (r == -ENOENT)
        snprintf(why, WHY_SIZE, "there is no %s file", what);
    else if (r < 0)
        snprintf(why, WHY_SIZE, "the %s file cannot be read: %s", what, r == -E2BIG ? "it is too large" : strerror(-r));
    return r;
}

static void read_given(const Settings *s, Pair *ret) {
    if (read_pem("https-cert", s->https_cert, "certificate", &ret->certificate, ret->why) >= 0)
        (void) !read_pem("https-key", s->https_key, "key", &ret->key, ret->why);
}

/* ---- the one that was good before ---- */

static int keep_job(StoreTx *tx, void *token) {
    return tx_note_put(tx, KEPT_NOTE, token);
}

static void keep(Manager *m, const Pair *p) {
    size_t certificate = strlen(p->certificate) + 1, size = certificate + strlen(p->key);
    _cleanup_free_ char *token = NULL;
    char *both = malloc(size);
    int r = -ENOMEM;

    if (both) {
        memcpy(both, p->certificate, certificate);
        memcpy(both + certificate, p->key, size - certificate);
        r = fernet_encrypt(m->keys, both, size, utc_now(), &token);
        wipe(both, size);
        free(both);
    }
    if (r >= 0)
        r = store_write_wait(m->store, keep_job, token);
    if (r < 0)
        log_warning("Cannot keep a copy of the HTTPS certificate (%s): should the next one be bad there is none to go on with", strerror(-r));
}

/* *ret_stale: it was encrypted with an older key. */
static void read_kept(Manager *m, Pair *ret, bool *ret_stale) {
    _cleanup_free_ char *token = NULL;
    size_t size, index;
    char *both;

    if (store_note(m->store, KEPT_NOTE, &token) < 0 || fernet_decrypt(m->keys, token, utc_now(), 0, &both, &size, &index) < 0)
        return;
    size_t certificate = strlen(both) + 1;
    if (certificate < size) {
        ret->certificate = strdup(both);
        ret->key = strdup(both + certificate);
    }
    wipe(both, size);
    free(both);
    *ret_stale = index > 0;
}

static bool same(const Pair *a, const Pair *b) {
    return streq_null(a->certificate, b->certificate) && streq_null(a->key, b->key);
}

/* ---- the choice ---- */

static const Pair *choose(const Pair *given, const Pair *kept) {
    const Pair *chosen = kept->worth < given->worth ? kept : given;

    return chosen->worth == WORTH_NOTHING ? NULL : chosen;
}

static void tell(const Settings *s, const Pair *given, const Pair *kept, const Pair *chosen) {
    LogContext about = { .message_id = given->worth == WORTH_GOOD ? MESSAGE_ID_CERTIFICATE : MESSAGE_ID_CERTIFICATE_REFUSED };
    char day[RFC3339_SIZE] = "";

    if (chosen)
        day_format(chosen->until, day);
    if (!chosen)
        log_line(LOG_ERR, &about, "HTTPS is closed: a certificate (%s) and its key (%s) are needed, both PEM files: %s", s->https_cert, s->https_key, given->why);
    else if (chosen == kept)
        log_line(LOG_ERR, &about, "The HTTPS certificate (%s, %s) is refused: %s. The one before stays in use, it is good until %s", s->https_cert,
                 s->https_key, given->why, day);
    else if (given->worth == WORTH_OUT_OF_DATE)
        log_line(LOG_ERR, &about, "Clients will refuse the HTTPS certificate (%s): %s", s->https_cert, given->why);
    else if (!same(given, kept))
        log_line(LOG_NOTICE, &about, "HTTPS has a new certificate, it is good until %s", day);
}

int certificate_open(Manager *m, Certificate **ret) {
    Pair given = { 0 }, kept = { 0 };
    bool stale = false;

    Certificate *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    read_given(m->settings, &given);
    judge(&given, utc_now());
    read_kept(m, &kept, &stale);
    judge(&kept, utc_now());
    const Pair *chosen = choose(&given, &kept);
    if (chosen && (stale || !same(chosen, &kept)))
        keep(m, chosen);
    tell(m->settings, &given, &kept, chosen);
    if (chosen) {
        c->kept = chosen == &kept;
        c->until = chosen->until;
        c->context = c->kept ? TAKE_PTR(kept.context) : TAKE_PTR(given.context);
    }
    if (given.worth != WORTH_GOOD)
        memcpy(c->why, given.why, sizeof(c->why));
    pair_done(&given);
    pair_done(&kept);
    *ret = c;
    return 0;
}

Certificate *certificate_free(Certificate *c) {
    if (!c)
        return NULL;
    tls_context_free(c->context);
    free(c);
    return NULL;
}

SSL_CTX *certificate_context(const Certificate *c) {
    return c->context;
}

void certificate_status(const Certificate *c, int64_t now, char ret[static CERTIFICATE_STATUS_SIZE]) {
    char day[RFC3339_SIZE];

    if (!c->context) {
        snprintf(ret, CERTIFICATE_STATUS_SIZE, "HTTPS is closed: %s", c->why);
        return;
    }
    day_format(c->until, day);
    const char *until = now > c->until ? "was good until" : "is good until";
    if (c->kept)
        snprintf(ret, CERTIFICATE_STATUS_SIZE, "the HTTPS certificate is refused (%s), the one before %s %s", c->why, until, day);
    else
        snprintf(ret, CERTIFICATE_STATUS_SIZE, "the HTTPS certificate %s %s", until, day);
}
