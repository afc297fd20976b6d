/* FTP logins, as the FTP server reports them over the bus. A login compares the clock every time: an account whose days are over is refused
 * even when everything that should have removed it has failed. */
#include "api/account_calls.h"
#include "api/audit.h"
#include "api/bus.h"
#include "api/folders.h"
#include "api/lifecycle.h"
#include "api/metrics.h"
#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "crypto/password.h"
#include "model/account.h"
#include "model/messages.h"
#include "model/paths.h"

#include <errno.h>
#include <stdio.h>

#define LOGIN_PASSWORD_MAX 512

typedef struct Login {
    Manager *m;
    sd_bus_message *call;
    char *password;
    char *hash;         /* NULL: unknown account; the check takes as long */
    bool matches;
    const char *refusal; /* why, when the password matches all the same */
    const char *written; /* what the trail says of it; NULL: nothing yet */
    int64_t expires, at;
    char user[ACCOUNT_NAME_MAX + 1]; /* as typed; empty when no account can have that name: people type passwords there */
    char account[ACCOUNT_NAME_MAX + 1], home[4096], peer[ADDRESS_TEXT_MAX];
} Login;

static void login_free(Login *l) {
    manager_release(l->m);
    sd_bus_message_unref(l->call);
    wipe_free(l->password);
    free(l->hash);
    free(l);
}

static void login_run(void *userdata) {
    Login *l = userdata;
    l->matches = strlen(l->password) <= LOGIN_PASSWORD_MAX && password_verify(l->hash, l->password);
}

/* May the account's owner come in now? Asked before the password is looked at and again after it: meanwhile somebody may have blocked or deleted. The
 * answer goes out before EndSessions or says no, so no session begins that nobody ends. */
static int login_check_access(Login *l, const char *account) {
    bool blocked;
    int r = store_account_access(l->m->store, account, &l->expires, &blocked);

    if (r < 0)
        return r;
    l->refusal = l->expires > manager_now(l->m) ? NULL : l->expires == 0 && blocked ? "blocked" : "expired";
    return 0;
}

/* Bytes that may lie in the account's drop folder; 0: none, or it can't be written. Asked last: who closes one ends the sessions that began before. */
static uint64_t login_drop(const Login *l) {
    LogContext about = { .account = l->account };
    uint64_t bytes;

    int r = store_drop(l->m->store, l->account, &bytes);
    if (r >= 0 && bytes > 0)
        r = folders_drop_make(l->m->data_fd, l->account); /* somebody may have taken it away by hand */
    if (r < 0)
        log_line(LOG_ERR, &about, "The drop folder of %s cannot be used, the session only reads: %s", l->account, strerror(-r));
    return r < 0 ? 0 : bytes;
}

/* With accounts outside, the server that reads them is the one to log in to: it knows who is blocked there by hand, and its logins are in its own log. */
static bool serves_logins(const Manager *m) {
    return !accounts_are_outside(m);
}

/* What each reason is to those who count and to the audit trail. */
typedef struct LoginReason {
    const char *reason;
    LoginResult result;
    int status; /* HTTP's word for it */
} LoginReason;

static const LoginReason *find_reason(const char *reason) {
    static const LoginReason table[] = {
        { "ok", LOGIN_OK, 200 },           { "unknown", LOGIN_WRONG, 401 },   { "password", LOGIN_WRONG, 401 },
        { "expired", LOGIN_EXPIRED, 403 }, { "blocked", LOGIN_BLOCKED, 403 }, { "elsewhere", LOGIN_ELSEWHERE, 403 },
        { "unavailable", LOGIN_FAILED, 503 },
    };
    size_t i = 0;

    while (i + 1 < ELEMENTS(table) && !streq(table[i].reason, reason))
        i++;
    return &table[i];
}

static const char *decide(const Login *l) {
    return !serves_logins(l->m) ? "elsewhere" : !l->hash ? "unknown" : !l->matches ? "password" : l->refusal ? l->refusal : "ok";
}

static void reply(Login *l, const char *reason) {
    bool ok = streq(reason, "ok");
    uint64_t quota = ok ? login_drop(l) : 0;

    metrics_login(l->m->metrics, LOGIN_FTP, find_reason(reason)->result);
    (void) sd_bus_reply_method_return(l->call, "bsstst", ok, reason, ok ? l->home : "", ok ? (uint64_t) l->expires : 0, quota > 0 ? DROP_FOLDER : "", quota);
    if (l->refusal && streq(l->refusal, "expired") && l->matches)
        lifecycle_expire_due(l->m, NULL, NULL); /* it should have been taken away already */
    login_free(l);
}

static int written_job(StoreTx *tx, void *userdata) {
    const Login *l = userdata;
    const LoginReason *reason = find_reason(l->written);
    AuditKeep keep = audit_keep(l->m->settings);
    bool ok = reason->status < 400;
    char actor[sizeof("ftp:") + ADDRESS_TEXT_MAX + ACCOUNT_NAME_MAX];

    snprintf(actor, sizeof(actor), "ftp:%s", ok ? l->account : l->peer);
    return tx_audit(tx, &(AuditRow) { .at = l->at, .actor = actor, .address = l->peer, .action = "FTP LOGIN", .target = l->user[0] ? l->user : NULL,
                                      .detail = ok ? NULL : reason->reason, .request_id = "-", .result = reason->status,
                                      .kind = ok ? AUDIT_VISIT : AUDIT_REFUSAL },
                    &keep);
}

static void answer(Login *l);

/* Unlike the API's, a login goes on without its row: who has data to fetch must not suffer from a full disk, and the FTP server's journal has it too. */
static void written(void *userdata, int r) {
    Login *l = userdata;

    if (r < 0)
        log_errno(r, "Cannot write an FTP login into the audit trail, ignoring");
    if (!l->refusal && l->hash && l->matches && login_check_access(l, l->account) < 0) /* the disk took its time */
        l->refusal = "unavailable";
    answer(l);
}

/* Says it when it is written down; what has become another answer meanwhile is written down again. */
static void answer(Login *l) {
    const char *reason = decide(l);
    bool ok = streq(reason, "ok");

    if (l->written && streq(l->written, reason)) {
        reply(l, reason);
        return;
    }
    l->written = reason;
    if (!ok && !audit_admits_refusal(l->m, l->peer)) {
        reply(l, reason);
        return;
    }
    int r = store_write(l->m->store, written_job, written, l);
    if (r < 0)
        written(l, r);
}

static void login_done(void *userdata) {
    Login *l = userdata;

    if (l->hash && l->matches && !l->refusal && login_check_access(l, l->account) < 0)
        l->refusal = "unavailable";
    l->at = manager_now(l->m);
    answer(l);
}

/* What the state database says of the account, before the password is looked at. */
static int login_look_up(Login *l, const char *user) {
    _cleanup_account_ Account account = { 0 };

    int r = serves_logins(l->m) && account_name_is_valid(user) ? store_account_by_name(l->m->store, user, &account) : -ENOENT;
    if (r == -ENOENT)
        return 0;
    if (r >= 0)
        r = login_check_access(l, user);
    if (r < 0)
        return r;
    l->hash = TAKE_PTR(account.hash);
    strcpy(l->account, account.name);
    snprintf(l->home, sizeof(l->home), "%s/%s", l->m->settings->data_path, account.name);
    return 0;
}

int login_authenticate(sd_bus_message *call, void *userdata, sd_bus_error *error) {
    Manager *m = userdata;
    const char *user, *password, *peer;

    int r = sd_bus_message_sensitive(call);
    if (r >= 0)
        r = sd_bus_message_read(call, "sss", &user, &password, &peer);
    if (r < 0)
        return r;
    Login *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    manager_hold(m);
    l->m = m;
    l->call = sd_bus_message_ref(call);
    l->password = strndup(password, LOGIN_PASSWORD_MAX + 1);
    snprintf(l->peer, sizeof(l->peer), "%s", peer);
    if (account_name_is_valid(user))
        strcpy(l->user, user);
    r = l->password ? login_look_up(l, user) : -ENOMEM;
    if (r >= 0)
        r = pool_submit(m->pool, login_run, login_done, l);
    if (r < 0) {
        metrics_login(m->metrics, LOGIN_FTP, r == -EAGAIN ? LOGIN_BUSY : LOGIN_FAILED);
        bus_answer(sd_bus_message_ref(call), r == -EAGAIN ? r : -EIO, NULL);
        login_free(l);
    }
    return 1;
}
