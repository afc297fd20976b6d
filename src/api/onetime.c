/* POST /token/create and /token/validate: tokens that are good once, for a few seconds. The database has their digests only; the token is in one answer. */
#include "api/audit.h"
#include "api/reply.h"
#include "api/resources.h"
#include "basic/strings.h"
#include "crypto/password.h"
#include "model/texts.h"
#include "model/user.h"

#include <errno.h>
#include <time.h>

_Static_assert(ONETIME_TOKEN_SIZE == RANDOM_TOKEN_SIZE, "a one-time token is a random token");

typedef struct Onetime {
    Call *call;
    char token[ONETIME_TOKEN_SIZE], digest[65];
    int64_t now_ms;
    uint64_t user; /* who made it */
} Onetime;

/* Ten seconds are to be ten, not nine and some: the service's clock in milliseconds. */
static int64_t now_ms(Manager *m) {
    struct timespec t = { 0 };

    (void) clock_gettime(CLOCK_REALTIME, &t);
    return manager_now(m) * 1000 + t.tv_nsec / 1000000;
}

static void digest_token(Onetime *o) {
    uint8_t digest[32];

    sha256(o->token, strlen(o->token), digest);
    hex_encode(digest, sizeof(digest), o->digest);
}

static Onetime *onetime_free(Onetime *o) {
    if (!o)
        return NULL;
    call_done(o->call);
    wipe(o, sizeof(*o));
    free(o);
    return NULL;
}
DEFINE_CLEANUP(Onetime, onetime_free)

static Onetime *onetime_new(Call *c) {
    Onetime *o = CALL_LATER(Onetime, c);

    if (!o)
        return NULL;
    o->now_ms = now_ms(o->call->m);
    return o;
}

static void onetime_write(Onetime *o, StoreJob job, StoreDone done) {
    int r = store_write(o->call->m->store, job, done, o);
    if (r < 0)
        done(o, r);
}

/* ---- create ---- */

static int create_job(StoreTx *tx, void *userdata) {
    Onetime *o = userdata;
    int64_t lifetime = (int64_t) o->call->m->settings->onetime_seconds * 1000;

    int r = tx_onetime_put(tx, o->digest, o->call->user, o->now_ms, o->now_ms + lifetime);
    return r < 0 ? r : audit_append(tx, o->call, NULL, 200);
}

static void created(void *userdata, int r) {
    _cleanup_(onetime_freep) Onetime *o = userdata;
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    if (r == -EDQUOT) {
        reply_busy(o->call);
        return;
    }
    if (r < 0) {
        reply_errno(o->call, r);
        return;
    }
    json_object_open(&w, NULL);
    json_string(&w, "token", o->token);
    json_object_close(&w);
    reply_json(o->call, 200, &b);
    if (b.data)
        wipe(b.data, b.size);
}

void onetime_create(Call *c) {
    Onetime *o = onetime_new(c);

    if (!o)
        return;
    random_token(o->token);
    digest_token(o);
    onetime_write(o, create_job, created);
}

/* ---- validate ---- */

static int spend_job(StoreTx *tx, void *userdata) {
    Onetime *o = userdata;

    int r = tx_onetime_spend(tx, o->digest, o->now_ms, &o->user);
    return r < 0 ? r : audit_append(tx, o->call, NULL, 200);
}

static void spent(void *userdata, int r) {
    _cleanup_(onetime_freep) Onetime *o = userdata;

    if (r == -ENOENT)
        reply_detail(o->call, 401, TEXT_TOKEN_WRONG);
    else if (r < 0)
        reply_errno(o->call, r);
    else
        reply_message(o->call, TEXT_TOKEN_SPENT);
}

void onetime_validate(Call *c) {
    char token[ONETIME_TOKEN_SIZE];
    Refusal refusal = { 0 };

    int r = token_body_parse(c->req->entity.base, c->req->entity.len, token, &refusal);
    if (r < 0) {
        reply_unparsed(c, r, &refusal);
        return;
    }
    Onetime *o = onetime_new(c);
    if (!o)
        return;
    strcpy(o->token, token);
    digest_token(o);
    onetime_write(o, spend_job, spent);
}
