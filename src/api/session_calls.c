/* GET /sesiones and DELETE /sesiones/{pid or account}: what operators see and end on the FTP server.
 *
 * The FTP server is asked each time, over the bus, and never started for it: one that is not there has no sessions. Of Pure-FTPd only those of this machine
 * are seen. Whoever must lose access is
 * blocked or deleted; a session that is only ended here can be followed by the next login. */
#include "api/live_sessions.h"
#include "api/reply.h"
#include "api/resources.h"
#include "basic/strings.h"
#include "model/texts.h"

#include <errno.h>

typedef struct SessionCall {
    Call *call;
    Buffer body;
    JsonWriter writer;
    int64_t n;
    uint32_t ended;
    bool listing;
    char whom[CALL_PARAM_MAX];
} SessionCall;

static SessionCall *session_call_free(SessionCall *s) {
    if (!s)
        return NULL;
    call_done(s->call);
    buffer_done(&s->body);
    free(s);
    return NULL;
}
DEFINE_CLEANUP(SessionCall, session_call_free)

static SessionCall *session_call_new(Call *c, bool listing) {
    SessionCall *s = CALL_LATER(SessionCall, c);

    if (!s)
        return NULL;
    s->listing = listing;
    strcpy(s->whom, c->param);
    s->writer = JSON_WRITER(&s->body);
    json_object_open(&s->writer, NULL);
    if (listing)
        json_array_open(&s->writer, "sesiones");
    return s;
}

/* What has come from the FTP server, or nothing at all. */
static void answer(SessionCall *s) {
    if (s->listing) {
        json_array_close(&s->writer);
        json_integer(&s->writer, "total", s->n);
    } else if (s->ended == 0) {
        reply_detail(s->call, 404, TEXT_NO_FTP_SESSION);
        return;
    } else {
        LogContext about = call_log(s->call, NULL);
        log_line(LOG_NOTICE, &about, "%u FTP sessions (%s) were ended by %s", s->ended, s->whom, s->call->actor);
        json_string(&s->writer, "status", "ok");
        json_integer(&s->writer, "terminadas", s->ended);
    }
    json_object_close(&s->writer);
    reply_json(s->call, 200, &s->body);
}

/* Nobody answered: has it left (then there are no sessions), or is the next one on its way? */
static void on_state(void *userdata, int r, const char *active, const char *status) {
    _cleanup_(session_call_freep) SessionCall *s = userdata;

    if (r >= 0 && (unit_is_dead(active)))
        answer(s);
    else
        reply_errno(s->call, -EAGAIN);
}

static void on_reply(void *userdata, int r, const char *error_name, const char *message) {
    _cleanup_(session_call_freep) SessionCall *s = userdata;

    if (r >= 0)
        answer(s);
    else if (r == -EAGAIN && live_sessions_state(s->call->m, on_state, s) >= 0)
        TAKE_PTR(s);
    else {
        if (message)
            log_warning("Cannot look at the FTP sessions: %s", message);
        reply_errno(s->call, r == -ECHILD ? -EAGAIN : r); /* its unit failed: that is for the operator to mend */
    }
}

static void on_listed(void *userdata, const FtpSession *session) {
    SessionCall *s = userdata;
    JsonWriter *w = &s->writer;

    json_object_open(w, NULL);
    json_integer(w, "pid", session->pid);
    json_string(w, "cuenta", session->account);
    json_string(w, "direccion", session->peer);
    json_string(w, "carpeta", session->folder[0] ? session->folder : NULL);
    json_string(w, "archivo", session->file[0] ? session->file : NULL);
    json_integer(w, "bytes", (int64_t) session->sent);
    json_integer(w, "total", (int64_t) session->size);
    json_time(w, "desde", (int64_t) session->since);
    json_object_close(w);
    s->n++;
}

static void ask(SessionCall *owned, void (*send)(SessionCall *s, Manager *m)) {
    _cleanup_(session_call_freep) SessionCall *s = owned;

    if (!s)
        return;
    if (!s->call->m->bus) { /* the simulator has no FTP server */
        answer(s);
        return;
    }
    SessionCall *asked = TAKE_PTR(s); /* the reply's now */
    send(asked, asked->call->m);
}

static void send_list(SessionCall *s, Manager *m) {
    live_sessions_list(m, on_listed, on_reply, s);
}

/* No account's name is a number. */
static void send_end(SessionCall *s, Manager *m) {
    uint64_t pid;

    if (parse_u64(s->whom, INT32_MAX, &pid) >= 0)
        live_session_end(m, (uint32_t) pid, &s->ended, on_reply, s);
    else
        live_sessions_end(m, s->whom, "", &s->ended, on_reply, s);
}

void session_list(Call *c) {
    ask(session_call_new(c, true), send_list);
}

void session_end(Call *c) {
    ask(session_call_new(c, false), send_end);
}
