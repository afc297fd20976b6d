/* Compares live FTP sessions with the database: a tempoftpd that was killed between a commit and EndSessions has told nobody, and the sessions
 * of what it closed would go on until their `expira`, those of Pure-FTPd for ever; those of what was extended would end as if it were not.
 *
 * Who may log in is login.c's business. */
#include "api/sessions.h"

#include "api/live_sessions.h"
#include "basic/strings.h"
#include "model/messages.h"
#include "model/request.h"

#include <errno.h>
#include <stdio.h>

#define AGAIN_MS 20000

static void on_ended(void *userdata, int r, const char *error_name, const char *message) {
    static const LogContext about = { .message_id = MESSAGE_ID_SESSIONS };

    if (r < 0) {
        log_line(LOG_ERR, &about, "Cannot end FTP sessions of something that is closed, trying again: %s", message ? message : strerror(-r));
        sessions_compare_later(userdata);
    }
    manager_release(userdata);
}

static void end_sessions(Manager *m, const char *account, const char *id) {
    log_info("Ending FTP sessions of %s%s%s that there may be: access was closed", account, *id ? ", request " : "", id);
    manager_hold(m);
    live_sessions_end(m, account, id, NULL, on_ended, m);
}

static void on_end_set(void *userdata, int r, const char *error_name, const char *message) {
    if (r < 0)
        log_warning("Cannot tell FTP sessions until when they may go on: %s", message ? message : strerror(-r));
}

/* The request that a virtual path leads into; the account's own folder leads into none. */
static void compare_path(Manager *m, const char *account, const char *path) {
    _cleanup_request_ Request request = { 0 };
    char id[ID_MAX + 1];

    path += *path == '/';
    size_t n = strcspn(path, "/");
    if (n == 0 || n >= sizeof(id))
        return;
    snprintf(id, sizeof(id), "%.*s", (int) n, path);
    int r = id_is_valid(id) ? store_get(m->store, id, &request) : -EINVAL;
    if (r == -ENOENT || (r >= 0 && (request.state != STATE_LISTO || !streq(request.account, account))))
        end_sessions(m, account, id);
}

static void on_listed(void *userdata, const FtpSession *session) {
    Manager *m = userdata;
    int64_t expires;
    const char *account = session->account;
    bool blocked;

    int r = store_account_access(m->store, account, &expires, &blocked);
    if (r < 0)
        log_errno(r, "Cannot look up the access of %s", account);
    else if (expires == 0)
        end_sessions(m, account, "");
    else {
        live_sessions_set_end(m, account, expires, on_end_set, NULL); /* of all its sessions; nothing happens where they know it */
        compare_path(m, account, session->folder);
        compare_path(m, account, session->file);
    }
}

/* Nobody there (-EAGAIN) is the usual case: the FTP server leaves when it is idle. */
static void on_all_listed(void *userdata, int r, const char *error_name, const char *message) {
    if (r < 0 && r != -EAGAIN)
        log_warning("Cannot list the FTP sessions: %s", message ? message : strerror(-r));
    manager_release(userdata);
}

void sessions_compare(Manager *m) {
    manager_hold(m);
    live_sessions_list(m, on_listed, on_all_listed, m);
}

static void compare_again(Manager *m, void *userdata) {
    m->sessions_wait = false;
    sessions_compare(m);
}

void sessions_compare_later(Manager *m) {
    if (!m->sessions_wait)
        m->sessions_wait = manager_after(m, AGAIN_MS, compare_again, NULL) >= 0;
}

void sessions_end_closed(Manager *m, const char *account) {
    int64_t expires;
    bool blocked;

    if (m->bus && store_account_access(m->store, account, &expires, &blocked) >= 0 && expires == 0)
        end_sessions(m, account, "");
}
