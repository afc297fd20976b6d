/* POST /auth/register and /auth/login. Passwords are hashed and checked by the hasher, a thread of its own behind a line with an end: a storm of logins makes
 * others wait for their login, and nobody for anything else.
 *
 * An address that nobody has is as much work as a wrong password, and gets the same answer. */
#include "api/audit.h"
#include "api/gate.h"
#include "api/metrics.h"
#include "api/resources.h"
#include "api/users.h"
#include "basic/strings.h"
#include "crypto/password.h"
#include "model/texts.h"

#include <errno.h>

typedef struct AuthCall {
    Call *call;
    NewUser given;
    User user;  /* login: of that address, id 0: nobody's. register: the new one */
    char *hash; /* login: the user's, NULL: nobody's */
    char fresh[PASSWORD_HASH_SIZE];
    bool matches;
    int r;
} AuthCall;

static AuthCall *auth_call_free(AuthCall *a) {
    if (!a)
        return NULL;
    call_done(a->call);
    new_user_done(&a->given);
    free(a->hash);
    free(a);
    return NULL;
}
DEFINE_CLEANUP(AuthCall, auth_call_free)

/* Takes *given. */
static AuthCall *auth_call_new(Call *c, NewUser *given) {
    AuthCall *a = CALL_LATER(AuthCall, c);

    if (!a)
        return NULL;
    a->given = *given;
    *given = (NewUser) { 0 };
    return a;
}

/* Below 0: it was not taken, and that has been answered. */
static int hand_to_hasher(AuthCall *owned, PoolRun run, PoolDone done) {
    _cleanup_(auth_call_freep) AuthCall *a = owned;

    int r = pool_submit(a->call->m->hasher, run, done, a);
    if (r == -EAGAIN)
        reply_busy(a->call);
    else if (r < 0)
        reply_errno(a->call, r);
    else
        TAKE_PTR(a);
    return r;
}

/* The body is read and wiped, and the audit trail knows whom it is about. False: answered. */
static bool take_body(Call *c, int (*parse)(const char *body, size_t size, NewUser *ret, Refusal *ret_refusal), NewUser *ret) {
    Refusal refusal = { 0 };

    int r = parse(c->req->entity.base, c->req->entity.len, ret, &refusal);
    call_wipe_body(c);
    if (r < 0) {
        reply_unparsed(c, r, &refusal);
        return false;
    }
    strcpy(c->target, ret->email);
    return true;
}

/* ---- register ---- */

static void reply_registered(AuthCall *a) {
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    user_write(&w, &a->user, false);
    reply_json(a->call, 200, &b);
}

static int insert_job(StoreTx *tx, void *userdata) {
    AuthCall *a = userdata;

    int r = tx_user_insert(tx, &a->user, a->fresh);
    return r < 0 ? r : audit_append(tx, a->call, NULL, 200);
}

static void inserted(void *userdata, int r) {
    _cleanup_(auth_call_freep) AuthCall *a = userdata;

    if (r == -EEXIST)
        reply_detail(a->call, 400, TEXT_EMAIL_TAKEN);
    else if (r == -EDQUOT) /* until operators have looked at those who wait */
        reply_busy(a->call);
    else if (r < 0)
        reply_errno(a->call, r);
    else
        reply_registered(a);
}

static void hash_run(void *userdata) {
    AuthCall *a = userdata;
    a->r = password_hash_user(a->given.password, a->fresh);
}

static void hash_done(void *userdata) {
    AuthCall *a = userdata;
    int r = a->r;

    if (r >= 0)
        r = store_write(a->call->m->store, insert_job, inserted, a);
    if (r < 0)
        inserted(a, r);
}

void auth_register(Call *c) {
    _cleanup_new_user_ NewUser given = { 0 };
    RegisterMode mode = c->m->settings->registration;
    User other;

    if (mode == REGISTER_CLOSED && !c->operator) {
        reply_detail(c, 403, TEXT_REGISTRATION_CLOSED);
        return;
    }
    if (!take_body(c, new_user_parse, &given))
        return;
    int r = store_user_by_email(c->m->store, given.email, &other);
    if (r >= 0) {
        reply_detail(c, 400, TEXT_EMAIL_TAKEN);
        return;
    }
    AuthCall *a = auth_call_new(c, &given);
    if (!a)
        return;
    a->user = (User) { .role = ROLE_USUARIO, .active = mode == REGISTER_OPEN || a->call->operator, .created = manager_now(a->call->m) };
    strcpy(a->user.name, a->given.name);
    strcpy(a->user.email, a->given.email);
    (void) hand_to_hasher(a, hash_run, hash_done);
}

/* ---- login ---- */

static void reply_token(AuthCall *a) {
    _cleanup_buffer_ Buffer b = { 0 };
    _cleanup_(wipe_freep) char *token = NULL;
    JsonWriter w = JSON_WRITER(&b);

    int r = gate_token(a->call->m, &a->user, &token);
    if (r == -ENOKEY) {
        reply_busy(a->call);
        return;
    }
    if (r < 0) {
        reply_errno(a->call, r);
        return;
    }
    json_object_open(&w, NULL);
    json_string(&w, "access_token", token);
    json_string(&w, "token_type", "bearer");
    json_object_close(&w);
    reply_json(a->call, 200, &b);
    if (b.data)
        wipe(b.data, b.size);
}

static void verify_run(void *userdata) {
    AuthCall *a = userdata;
    a->matches = password_verify_user(a->hash, a->given.password);
}

/* The user is looked at again: meanwhile somebody may have changed the password or closed the account. */
static void verify_done(void *userdata) {
    _cleanup_(auth_call_freep) AuthCall *a = userdata;
    User now;

    if (a->matches && (store_user(a->call->m->store, a->user.id, &now) < 0 || now.generation != a->user.generation))
        a->matches = false;
    metrics_login(a->call->m->metrics, LOGIN_API, !a->matches ? LOGIN_WRONG : now.active ? LOGIN_OK : LOGIN_INACTIVE);
    if (!a->matches)
        reply_detail(a->call, 401, TEXT_WRONG_CREDENTIALS);
    else if (!now.active)
        reply_detail(a->call, 403, TEXT_USER_INACTIVE);
    else
        reply_token(a);
}

void auth_login(Call *c) {
    _cleanup_new_user_ NewUser given = { 0 };
    Manager *m = c->m;

    if (!take_body(c, login_body_parse, &given))
        return;
    AuthCall *a = auth_call_new(c, &given);
    if (!a)
        return;
    int r = store_user_by_email(a->call->m->store, a->given.email, &a->user);
    if (r >= 0)
        r = store_user_hash(a->call->m->store, a->user.id, &a->hash);
    if (r < 0 && r != -ENOENT) {
        reply_errno(a->call, r);
        auth_call_free(a);
        return;
    }
    r = hand_to_hasher(a, verify_run, verify_done);
    if (r < 0)
        metrics_login(m->metrics, LOGIN_API, r == -EAGAIN ? LOGIN_BUSY : LOGIN_FAILED);
}
