/* The look at what comes in. It knows libh2o's sockets and when requests begin and end, not what they ask for. */
#define H2O_USE_LIBUV 0
#include "api/intake.h"

#include "api/early_reply.h"
#include "basic/fds.h"
#include "basic/log.h"
#include "basic/time.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define HEAD_ALLOWANCE 1024 /* what a request's headers and the frames around it may have been, compressed */
#define SHUT "tempoftpd waits no longer" /* what libh2o's callback is told; it looks only whether there is an error */

static Intake *intake_of(h2o_socket_t *socket) {
    return socket->on_close.data;
}

/* ---- our callback before libh2o's ---- */

static void on_read(h2o_socket_t *socket, const char *error);

static void disarm(Intake *i) {
    if (i->unarmed)
        return;
    i->unarmed = true;
    i->at = &i->all->unarmed;
    i->next = i->all->unarmed;
    if (i->next)
        i->next->at = &i->next;
    i->all->unarmed = i;
}

static void leave_unarmed(Intake *i) {
    if (!i->unarmed)
        return;
    i->unarmed = false;
    *i->at = i->next;
    if (i->next)
        i->next->at = i->at;
}

void intakes_arm(Intakes *all) {
    for (Intake *i = all->unarmed, *next; i; i = next) {
        next = i->next;
        if (!i->socket->_cb.read) /* libh2o does not read now: it writes "100 Continue", or an answer */
            continue;
        if (i->socket->_cb.read != on_read) {
            i->read = i->socket->_cb.read;
            i->socket->_cb.read = on_read;
        }
        leave_unarmed(i);
    }
}

/* libh2o may replace the callback, and close the socket: the Intake may be gone after this. */
static void pass_on(Intake *i, const char *error) {
    disarm(i);
    i->read(i->socket, error);
}

/* ---- our own answers ---- */

void intake_linger(Intake *i) {
    if (i->linger < 0)
        i->linger = fcntl(h2o_socket_get_fd(i->socket), F_DUPFD_CLOEXEC, 3); /* none: then it is closed at once */
}

static void on_answer_written(h2o_socket_t *socket, const char *error) {
    Intake *i = intake_of(socket);

    if (!error)
        intake_linger(i);
    i->read(socket, SHUT);
}

static void log_refusal(const Intake *i, int status) {
    char peer[ADDRESS_TEXT_MAX];
    LogContext about = { .peer = peer };

    peer_text(h2o_socket_get_fd(i->socket), peer);
    log_line(LOG_DEBUG, &about, "Answering %s with %d before its request is whole", peer, status);
}

static void refuse(Intake *i, int status) {
    Buffer answer = { 0 };

    log_refusal(i, status);
    early_reply_print(&answer, status, i->socket->ssl);
    size_t size = answer.size;
    i->answer = buffer_take(&answer);
    if (!i->answer || h2o_socket_is_writing(i->socket)) {
        pass_on(i, SHUT);
        return;
    }
    i->phase = INTAKE_REFUSED;
    leave_unarmed(i);
    h2o_socket_read_stop(i->socket);
    h2o_iovec_t text = h2o_iovec_init(i->answer, size);
    h2o_socket_write(i->socket, &text, 1, on_answer_written);
}

/* ---- what came in ---- */

/* 0, or the status that it is refused with. */
static int look(Intake *i) {
    const h2o_buffer_t *input = i->socket->input;

    if (i->begun_ms == 0)
        i->begun_ms = monotonic_ms();
    switch (http_head_look(&i->head, input->bytes, input->size)) {
    case HTTP_HEAD_PART:
        return 0;
    case HTTP_HEAD_WHOLE:
        i->phase = INTAKE_BODY;
        return 0;
    case HTTP_HEAD_HTTP2:
        i->phase = INTAKE_HTTP2;
        return 0;
    case HTTP_HEAD_LONG_TARGET:
        return 414;
    case HTTP_HEAD_LARGE:
        return 431;
    case HTTP_HEAD_BAD:
        break;
    }
    return 400;
}

static void on_read(h2o_socket_t *socket, const char *error) {
    Intake *i = intake_of(socket);
    int status = !error && i->phase == INTAKE_HEAD && socket->input->size > 0 ? look(i) : 0;

    if (i->phase == INTAKE_HTTP2)
        i->begun += socket->bytes_read;
    if (status != 0)
        refuse(i, status);
    else
        pass_on(i, i->begun > INTAKE_BEGUN_MAX ? SHUT : error);
}

void intake_begin(Intakes *all, Intake *i, h2o_socket_t *socket) {
    *i = (Intake) { .all = all, .socket = socket, .quiet_ms = monotonic_ms(), .linger = -EBADF };
    disarm(i);
}

static void close_unread(h2o_socket_t *socket, const char *error) {
    h2o_socket_close(socket);
}

bool intake_ready(Intake *i) {
    i->quiet_ms = monotonic_ms();
    int status = i->socket->input->size > 0 ? look(i) : 0;

    if (status == 0)
        return true;
    i->read = close_unread; /* libh2o has no connection of it yet */
    refuse(i, status);
    return false;
}

void intake_end(Intake *i) {
    leave_unarmed(i);
    free(i->answer);
    if (i->linger >= 0)
        linger_begin_fd(&i->all->lingers, h2o_socket_get_loop(i->socket), i->linger);
}

void intake_asked(Intake *i, bool http2, size_t body) {
    uint64_t size = body + HEAD_ALLOWANCE;

    i->phase = http2 ? INTAKE_HTTP2 : INTAKE_BUSY;
    i->begun_ms = 0;
    i->begun -= size < i->begun ? size : i->begun;
    i->requests++;
}

void intake_answered(Intake *i) {
    i->requests--;
    i->quiet_ms = monotonic_ms();
    if (i->phase == INTAKE_HTTP2)
        return;
    i->phase = INTAKE_HEAD;
    i->head = (HttpHead) { 0 };
    disarm(i); /* libh2o begins to read the next one */
}

/* ---- the clock ---- */

static bool has_waited(uint64_t since_ms, uint64_t now_ms, uint64_t limit_ms) {
    return now_ms >= since_ms && now_ms - since_ms > limit_ms;
}

void intake_check(Intake *i, uint64_t now_ms) {
    uint64_t begun = i->begun_ms;

    if (i->socket->_cb.read != on_read || i->requests > 0)
        return;
    if (begun == 0 && i->socket->input->size > 0) /* came with the request before it */
        begun = i->quiet_ms;
    switch (i->phase) {
    case INTAKE_HTTP2:
        if (has_waited(i->quiet_ms, now_ms, INTAKE_REQUEST_MS)) /* libh2o's own patience starts anew with every byte */
            pass_on(i, SHUT);
        break;
    case INTAKE_HEAD:
        if (begun == 0 && has_waited(i->quiet_ms, now_ms, INTAKE_IDLE_MS))
            pass_on(i, SHUT);
        else if (begun != 0 && has_waited(begun, now_ms, INTAKE_HEAD_MS))
            refuse(i, 408);
        break;
    case INTAKE_BODY:
        if (has_waited(begun, now_ms, INTAKE_REQUEST_MS))
            refuse(i, 408);
        break;
    case INTAKE_BUSY:
    case INTAKE_REFUSED:
        break;
    }
}

typedef struct StreamSearch {
    time_t now; /* on the clock of the requests' own times */
    Intake *found;
} StreamSearch;

static int look_at_stream(h2o_req_t *request, void *userdata) {
    StreamSearch *search = userdata;
    Intake *i = intake_of(request->conn->callbacks->get_socket(request->conn));
    time_t begun = request->timestamps.request_begin_at.tv_sec;

    if (request->pathconf || begun == 0 || search->now - begun <= INTAKE_REQUEST_MS / 1000 || i->socket->_cb.read != on_read)
        return 0; /* it is whole; or nothing but a priority; or its connection is ending */
    search->found = i;
    return 1;
}

void intakes_check_streams(h2o_context_t *context) {
    StreamSearch search = { .now = h2o_get_timestamp(context, NULL, NULL)->tv_sec };

    while (context->globalconf->http2.callbacks.foreach_request(context, look_at_stream, &search) != 0)
        pass_on(search.found, SHUT);
}
