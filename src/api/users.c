/* GET /api/usuarios, PATCH /api/usuarios/{id or address}, POST /auth/logout: everything that alters a user who is there.
 *
 * What ends sessions makes the user's generation grow, in the same commit as the reason for it; one-time tokens go with it. */
#include "api/users.h"

#include "api/audit.h"
#include "api/gate.h"
#include "api/query.h"
#include "api/resources.h"
#include "api/watchers.h"
#include "basic/strings.h"
#include "crypto/password.h"
#include "model/texts.h"

#include <errno.h>
#include <stdio.h>

#define LIST_DEFAULT 500

void user_write(JsonWriter *w, const User *u, bool role) {
    json_object_open(w, NULL);
    json_integer(w, "id", (int64_t) u->id);
    json_string(w, "nombre", u->name);
    json_string(w, "correo", u->email);
    json_bool(w, "is_active", u->active);
    if (role) {
        json_string(w, "rol", role_name(u->role));
        json_time(w, "created_at", u->created);
    }
    json_object_close(w);
}

/* ---- list ---- */

typedef struct List {
    JsonWriter w;
    int64_t n;
} List;

static int list_row(const User *u, void *userdata) {
    List *list = userdata;

    list->n++;
    user_write(&list->w, u, true);
    return 0;
}

void user_list(Call *c) {
    _cleanup_buffer_ Buffer b = { 0 };
    List list = { .w = JSON_WRITER(&b) };
    uint64_t limit = LIST_DEFAULT, after = 0;

    if (!query_number(c, "limite", QUERY_LIST_MAX, &limit) || !query_number(c, "despues", INT64_MAX, &after))
        return;
    json_object_open(&list.w, NULL);
    json_array_open(&list.w, "usuarios");
    int r = store_list_users(c->m->store, after, (size_t) limit, list_row, &list);
    json_array_close(&list.w);
    json_integer(&list.w, "total", list.n);
    json_object_close(&list.w);
    if (r < 0)
        reply_errno(c, r);
    else
        reply_json(c, 200, &b);
}

/* ---- changes ---- */

typedef struct Edit {
    Call *call;
    uint64_t id;
    UserChange change;
    bool logout;
    char hash[PASSWORD_HASH_SIZE]; /* of change.password */
    User user;                     /* as changed */
    int r;
} Edit;

static Edit *edit_free(Edit *e) {
    if (!e)
        return NULL;
    call_done(e->call);
    user_change_done(&e->change);
    free(e);
    return NULL;
}
DEFINE_CLEANUP(Edit, edit_free)

static Edit *edit_new(Call *c, uint64_t id) {
    Edit *e = CALL_LATER(Edit, c);

    if (!e)
        return NULL;
    e->id = id;
    return e;
}

static int edit_job(StoreTx *tx, void *userdata) {
    Edit *e = userdata;
    const UserChange *change = &e->change;

    int r = tx_user(tx, e->id, &e->user);
    if (r < 0)
        return r;
    bool ends = e->logout || change->password || (change->has_active && !change->active);
    if (change->has_active)
        e->user.active = change->active;
    if (change->has_role)
        e->user.role = change->role;
    if (ends)
        e->user.generation++;
    r = tx_user_update(tx, &e->user, change->password ? e->hash : NULL);
    if (r >= 0 && ends)
        r = tx_onetime_forget(tx, e->id);
    return r < 0 ? r : audit_append(tx, e->call, e->user.email, 200);
}

static void edited(void *userdata, int r) {
    _cleanup_(edit_freep) Edit *e = userdata;
    _cleanup_buffer_ Buffer b = { 0 };
    JsonWriter w = JSON_WRITER(&b);

    if (r < 0) {
        if (r == -ENOENT)
            reply_detail(e->call, 404, TEXT_NO_USER);
        else
            reply_errno(e->call, r);
        return;
    }
    gate_forget(e->call->m->gate);
    watchers_end(e->call->m, e->id);
    if (e->logout) {
        reply_message(e->call, TEXT_LOGGED_OUT);
        return;
    }
    user_write(&w, &e->user, true);
    reply_json(e->call, 200, &b);
}

static void edit_run(Edit *e) {
    int r = store_write(e->call->m->store, edit_job, edited, e);
    if (r < 0)
        edited(e, r);
}

static void hash_run(void *userdata) {
    Edit *e = userdata;
    e->r = password_hash_user(e->change.password, e->hash);
}

static void hash_done(void *userdata) {
    Edit *e = userdata;

    if (e->r < 0)
        edited(e, e->r);
    else
        edit_run(e);
}

/* {} is a number or an address. */
static int find_user(Call *c, uint64_t *ret_id) {
    char email[EMAIL_MAX + 1];
    User user;

    if (!strchr(c->param, '@'))
        return parse_u64(c->param, INT64_MAX, ret_id) < 0 ? -ENOENT : 0;
    strcpy(email, c->param);
    email_normalize(email);
    int r = store_user_by_email(c->m->store, email, &user);
    if (r >= 0)
        *ret_id = user.id;
    return r;
}

static void describe(Call *c, const UserChange *change) {
    const char *active = !change->has_active ? "" : change->active ? " is_active=true" : " is_active=false";
    char text[AUDIT_DETAIL_MAX + 1];

    snprintf(text, sizeof(text), "%s%s%s%s", active, change->has_role ? " rol=" : "", change->has_role ? role_name(change->role) : "",
             change->password ? " password" : "");
    call_detail(c, "%s", text + 1); /* one of them is there */
}

void user_patch(Call *c) {
    _cleanup_user_change_ UserChange change = { 0 };
    Refusal refusal = { 0 };
    uint64_t id;

    int r = user_change_parse(c->req->entity.base, c->req->entity.len, &change, &refusal);
    call_wipe_body(c);
    if (r < 0) {
        reply_unparsed(c, r, &refusal);
        return;
    }
    r = find_user(c, &id);
    if (r < 0) {
        if (r == -ENOENT)
            reply_detail(c, 404, TEXT_NO_USER);
        else
            reply_errno(c, r);
        return;
    }
    _cleanup_(edit_freep) Edit *e = edit_new(c, id);
    if (!e)
        return;
    e->change = change;
    change = (UserChange) { 0 };
    describe(e->call, &e->change);
    if (!e->change.password) {
        edit_run(TAKE_PTR(e));
        return;
    }
    r = pool_submit(e->call->m->hasher, hash_run, hash_done, e);
    if (r == -EAGAIN)
        reply_busy(e->call);
    else if (r < 0)
        reply_errno(e->call, r);
    else
        TAKE_PTR(e);
}

void auth_logout(Call *c) {
    Edit *e = edit_new(c, c->user);

    if (!e)
        return;
    e->logout = true;
    edit_run(e);
}
