/* The life of one session: commands in turn, the listener's questions in between, and all the ways it ends.
 *
 * It knows no password, no other session and no journal: what is worth recording goes to the listener over the wire, which adds whom
 * it is about. Nothing here allocates, so that an idle session stays small. */
#include "ftpd/session.h"

#include "basic/strings.h"
#include "basic/time.h"
#include "ftpd/active.h"
#include "ftpd/drop.h"
#include "ftpd/extensions.h"
#include "ftpd/jail.h"

#include <errno.h>
#include <poll.h>

#define BUSY_REST_MS 1000
#define LOOK_UP_MS 60000 /* the clock may jump: expira is compared at least this often */

static const struct {
    int code; /* 0: the client gets no word */
    const char *text;
    const char *reason; /* for the journal */
} ends[] = {
    [SESSION_QUIT] = { 0, NULL, "quit" },
    [SESSION_AGAIN] = { 0, NULL, "reinitialized" },
    [SESSION_CLIENT_LEFT] = { 0, NULL, "client left" },
    [SESSION_IDLE] = { 421, "Demasiado tiempo sin actividad; conexión cerrada.", "idle" },
    [SESSION_EXPIRED] = { 421, "La vigencia terminó; conexión cerrada.", "expired" },
    [SESSION_REVOKED] = { 421, "El acceso se retiró; conexión cerrada.", "revoked" },
    [SESSION_STOPPED] = { 421, "El servidor se detiene; conexión cerrada.", "listener stopped" },
    [SESSION_BROKEN] = { 0, NULL, "connection broken" },
};

/* ---- the wire ---- */

static int answer_ask(Session *s, uint32_t serial) {
    WireMessage m;

    m.where = (WireWhere) {
        .header = { .type = WIRE_WHERE, .serial = serial },
        .sent = s->file[0] ? s->file_offset + s->data.sent : 0,
        .size = s->file[0] ? s->file_size : 0,
    };
    strcpy(m.where.folder, s->folder);
    strcpy(m.where.file, s->file);
    return wire_send(CHILD_WIRE_FD, &m);
}

static int answer_end(Session *s, const WireEnd *end) {
    if (end->id[0] == '\0' || path_is_within(s->folder, end->id) || path_is_within(s->file, end->id)) {
        s->end = SESSION_REVOKED;
        return 0;
    }
    WireMessage m = { .header = { .type = WIRE_STAYS, .serial = end->header.serial } };
    return wire_send(CHILD_WIRE_FD, &m);
}

static int tell(WireType type) {
    WireMessage m = { .header = { .type = type } };
    return wire_send(CHILD_WIRE_FD, &m);
}

static int take_rate(Session *s, uint64_t rate) {
    data_set_rate(&s->data, pace_lesser(s->start->rate, rate));
    s->told = true;
    return 0;
}

static int take_message(Session *s, const WireMessage *m, int *fd) {
    int r;

    switch (m->header.type) {
    case WIRE_ASK:
        return answer_ask(s, m->header.serial);
    case WIRE_END:
        return answer_end(s, &m->end);
    case WIRE_RATE:
        return take_rate(s, m->rate.rate);
    case WIRE_GO: /* of another listener, which does not know who is busy */
        return s->busy && (r = tell(WIRE_BUSY)) < 0 ? r : drop_tell_again(s);
    case WIRE_UNTIL:
        s->expira = m->until.expira;
        return 0;
    case WIRE_GRANT:
        drop_on_grant(s, &m->grant);
        return 0;
    case WIRE_COUNT:
        return drop_on_count(s, m->header.serial);
    case WIRE_CONNECTED:
        active_on_connected(s, &m->connected, TAKE_FD(*fd));
        return 0;
    default:
        return 0;
    }
}

/* Whatever the listener wants. Sets s->end when there is no listener any more. */
static void read_wire(Session *s) {
    WireMessage m;

    while (s->end == SESSION_GOES_ON) {
        _cleanup_close_ int fd = -EBADF;
        int r = wire_receive_fd(CHILD_WIRE_FD, WIRE_LISTENER, &m, &fd);
        if (r == -EAGAIN)
            return;
        if (r > 0)
            r = take_message(s, &m, &fd);
        else if (r == 0)
            r = -ECONNRESET;
        if (r < 0)
            s->end = SESSION_STOPPED;
    }
}

static void check_expiry(Session *s) {
    if (s->end == SESSION_GOES_ON && utc_now() >= s->expira)
        s->end = SESSION_EXPIRED;
}

/* ---- while a transfer runs ---- */

static void read_control(Session *s) {
    if (command_reader_space(&s->conversation.reader) == 0)
        return;
    int r = conversation_fill(&s->conversation);
    if (r == 0 || (r < 0 && r != -EAGAIN))
        s->end = SESSION_CLIENT_LEFT;
}

int session_watch(Session *s) {
    struct pollfd fds[] = {
        { .fd = CHILD_CONTROL_FD, .events = POLLIN },
        { .fd = CHILD_WIRE_FD, .events = POLLIN },
    };

    check_expiry(s);
    if (poll(fds, ELEMENTS(fds), 0) > 0) {
        if (fds[1].revents)
            read_wire(s);
        if (s->end == SESSION_GOES_ON && fds[0].revents)
            read_control(s);
    }
    if (s->end != SESSION_GOES_ON)
        return -ESHUTDOWN;
    /* Wherever it stands among what waits; it is answered in its turn, after the transfer it cuts. */
    return command_reader_holds(&s->conversation.reader, "ABOR") ? -ECANCELED : 0;
}

/* While data goes to and fro. */
static int tick(void *userdata) {
    drop_settle(userdata); /* others may need what we don't use */
    return session_watch(userdata);
}

int session_may_transfer(Session *s) {
    if (!s->start->shares)
        return 0;
    if (!s->busy) {
        s->told = false;
        s->busy = true;
        int r = tell(WIRE_BUSY);
        if (r < 0)
            return r;
    }
    for (unsigned waited = 0; !s->told; waited += DATA_TICK_MS) {
        struct pollfd pfd = { .fd = CHILD_WIRE_FD, .events = POLLIN };
        if (waited >= WIRE_SEND_TIMEOUT_MS)
            return -ETIMEDOUT;
        if (poll(&pfd, 1, DATA_TICK_MS) < 0 && errno != EINTR)
            return -errno;
        int r = session_watch(s);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- between commands ---- */

/* Between small files the share is kept, or every file would move everybody's; and the port. */
static bool keeps_something(const Session *s) {
    return s->busy || data_keeps_port(&s->data);
}

static void rest(Session *s) {
    if (!keeps_something(s) || monotonic_ms() - s->last_command_ms < BUSY_REST_MS)
        return;
    if (data_keeps_port(&s->data))
        data_give_up_port(&s->data);
    if (s->busy && tell(WIRE_IDLE) < 0)
        s->end = SESSION_STOPPED;
    s->busy = false;
}

static int wait_ms(const Session *s, uint64_t now_ms) {
    uint64_t idle = now_ms - s->last_command_ms;
    uint64_t left = idle < s->start->idle_ms ? s->start->idle_ms - idle : 0;
    int64_t access = s->expira - utc_now();

    if (access < LOOK_UP_MS / 1000 && (uint64_t) (access > 0 ? access : 0) * 1000 < left)
        left = (uint64_t) (access > 0 ? access : 0) * 1000;
    if (keeps_something(s) && left > BUSY_REST_MS)
        left = BUSY_REST_MS;
    return left < LOOK_UP_MS ? (int) left : LOOK_UP_MS;
}

static void wait_for_command(Session *s) {
    struct pollfd fds[] = {
        { .fd = CHILD_CONTROL_FD, .events = POLLIN },
        { .fd = CHILD_WIRE_FD, .events = POLLIN },
    };

    int n = poll(fds, ELEMENTS(fds), wait_ms(s, monotonic_ms()));
    check_expiry(s);
    if (n < 0 && errno != EINTR)
        s->end = SESSION_BROKEN;
    if (n == 0 && s->end == SESSION_GOES_ON && monotonic_ms() - s->last_command_ms >= s->start->idle_ms)
        s->end = SESSION_IDLE;
    rest(s);
    if (n <= 0)
        return;
    if (fds[1].revents)
        read_wire(s);
    if (s->end == SESSION_GOES_ON && fds[0].revents) {
        int r = conversation_fill(&s->conversation);
        if (r == 0 || (r < 0 && r != -EAGAIN))
            s->end = SESSION_CLIENT_LEFT;
    }
}

static void wait_for_go(Session *s) {
    WireMessage m;
    struct pollfd pfd = { .fd = CHILD_WIRE_FD, .events = POLLIN };

    while (s->end == SESSION_GOES_ON) {
        int r = wire_receive(CHILD_WIRE_FD, WIRE_LISTENER, &m);
        if (r > 0 && m.header.type == WIRE_GO)
            return;
        if (r > 0 && m.header.type == WIRE_UNTIL) {
            s->expira = m.until.expira;
            continue;
        }
        if (r > 0 && m.header.type == WIRE_END && answer_end(s, &m.end) >= 0)
            continue;
        if (r > 0 && m.header.type == WIRE_ASK && answer_ask(s, m.header.serial) >= 0)
            continue;
        if (r != -EAGAIN || poll(&pfd, 1, SESSION_GO_TIMEOUT_MS) == 0)
            s->end = SESSION_STOPPED;
    }
}

static void say_goodbye(Session *s) {
    WireMessage m = { .bye = { .header = { .type = WIRE_BYE } } };

    data_reset(&s->data);
    if (ends[s->end].code != 0)
        (void) !reply(CHILD_CONTROL_FD, ends[s->end].code, "%s", ends[s->end].text);
    strcpy(m.bye.reason, ends[s->end].reason);
    (void) !wire_send_now(CHILD_WIRE_FD, &m);
}

int session_run(const SessionStart *start, TlsServer *tls) {
    Session s = {
        .conversation = {
            .fd = CHILD_CONTROL_FD,
            .may_write = start->drop[0] != '\0',
            .tls_mode = start->tls_mode,
            .tls = start->tls,
            .pbsz = start->protect,
            .protect = start->protect,
        },
        .tls = tls,
        .start = start,
        .expira = start->expira,
        .last_command_ms = monotonic_ms(),
        .folder = "/",
        .data = DATA_CHANNEL_INIT,
        .active = { .fd = -EBADF },
        .facts = FACTS_DEFAULT,
    };
    s.data.tick = tick;
    s.data.userdata = &s;
    s.data.stall_ms = start->stall_ms;
    data_set_rate(&s.data, start->rate);

    if (start->wait_for_go)
        wait_for_go(&s);
    if (s.end == SESSION_GOES_ON && drop_tell_again(&s) < 0) /* it may have been another listener's GO */
        s.end = SESSION_STOPPED;
    if (s.end == SESSION_GOES_ON && reply(CHILD_CONTROL_FD, 230, "Bienvenido; puede descargar sus datos.") < 0)
        s.end = SESSION_CLIENT_LEFT;

    while (s.end == SESSION_GOES_ON) {
        int r = conversation_answer(&s.conversation, true);
        if (r < 0 && s.end == SESSION_GOES_ON)
            s.end = SESSION_BROKEN;
        else if (s.conversation.over && s.end == SESSION_GOES_ON)
            s.end = SESSION_QUIT;
        else if (r == 0)
            wait_for_command(&s);
        else
            s.last_command_ms = monotonic_ms();
    }
    say_goodbye(&s);
    return 0;
}

/* ---- what handlers share ---- */

int session_reply_errno(Session *s, int error) {
    static const struct {
        int error, code;
        const char *text;
    } replies[] = {
        { ENOENT, 550, "No existe." },
        { ENOTDIR, 550, "No es una carpeta." },
        { EISDIR, 550, "Es una carpeta." },
        { EACCES, 550, "Permiso denegado." },
        { EPERM, 550, "Permiso denegado." },
        { EXDEV, 550, "Permiso denegado." },
        { ELOOP, 550, "Demasiados enlaces simbólicos." },
        { ENAMETOOLONG, 550, "Nombre demasiado largo." },
        { EINVAL, 550, "No es un archivo." },
        { ENXIO, 550, "No es un archivo." },
        { EEXIST, 550, "Ya existe." },
        { ENOTEMPTY, 550, "La carpeta no está vacía." },
        { EBUSY, 550, "Está en uso." },
        { ETXTBSY, 550, "Está en uso." },
        { EROFS, 550, "Permiso denegado." },
        { ENOSPC, 452, "No queda espacio en el disco." },
        { EDQUOT, 552, "La cuota de la carpeta no alcanza." },
    };

    if (error == -ESHUTDOWN)
        return 0; /* the session's last word follows */
    for (size_t i = 0; i < ELEMENTS(replies); i++)
        if (replies[i].error == -error)
            return reply(s->conversation.fd, replies[i].code, "%s", replies[i].text);
    return reply(s->conversation.fd, 451, "Error local; intente más tarde.");
}

int session_resolve(Session *s, const char *argument, char ret[static VIRTUAL_PATH_MAX]) {
    int r = path_resolve(s->folder, argument, ret);
    if (r >= 0)
        return 1;
    r = session_reply_errno(s, r);
    return r < 0 ? r : 0;
}

int session_again(Conversation *c, char *argument) {
    return reply(c->fd, 503, "Ya se identificó.");
}

/* RFC 959 section 4.1.1. A jail can't be left: the listener gives the client to a new pre-login child, whose greeting is the answer, when this process is
 * dead. What the client has sent already would be lost with it. RFC 4217 section 11 makes of it a way back to clear text: not here. */
int session_rein(Conversation *c, char *argument) {
    WireMessage m = { .header = { .type = WIRE_AGAIN } };
    Session *s = (Session *) c;

    if (c->tls)
        return reply(c->fd, 502, "Con TLS, abra otra conexión.");
    if (!command_reader_is_empty(&c->reader))
        return reply(c->fd, 503, "Espere la respuesta a REIN antes de seguir.");
    int r = wire_send(CHILD_WIRE_FD, &m);
    s->end = r < 0 ? SESSION_STOPPED : SESSION_AGAIN;
    return 0;
}

int session_feat(Conversation *c, char *argument) {
    return extensions_reply(c, ((Session *) c)->facts);
}

int session_opts(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char text[FACTS_TEXT_MAX];

    if (extensions_is_utf8(argument))
        return reply(c->fd, 200, "Los nombres van en UTF-8.");
    if (strcasecmp(argument, "HASH") == 0 || strcasecmp(argument, "HASH SHA-256") == 0)
        return reply(c->fd, 200, "SHA-256");
    if (strncasecmp(argument, "MLST", 4) != 0 || (argument[4] != '\0' && argument[4] != ' '))
        return reply(c->fd, 501, "Opción desconocida.");
    s->facts = argument[4] == ' ' ? facts_parse(argument + 5) : 0;
    facts_text(s->facts, false, text);
    return reply(c->fd, 200, "MLST OPTS %s", text);
}
