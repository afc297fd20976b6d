/* What sessions say to the listener: transfers, where they are, goodbye. And the end of those that should have ended by themselves.
 *
 * A session's word is believed about its own transfers only; whose session it is stands in the listener's table. */
#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "ftpd/dial.h"
#include "ftpd/listener.h"
#include "ftpd/record.h"
#include "model/request.h"

#include <errno.h>

#define MESSAGES_A_TURN 16
#define OFTEN_MS 1 /* from report to report */
#define PAUSE_MS_MAX 5
#define REPORTS_A_MS 10 /* that a session makes at most; one that fills its wire waits */

static void on_transfer(Listener *l, const Connection *c, const WireTransfer *t) {
    char id[WIRE_ID_SIZE];

    record_transfer(c, t);
    path_first_component(t->path, id, sizeof(id));
    if (t->direction != WIRE_DOWNLOAD || !l->downloads || !id_is_valid(id) || (t->bytes == 0 && !t->whole))
        return;
    if (downloads_add(l->downloads, c->account, id, c->peer_text, t->bytes, t->whole, utc_now(), monotonic_ms()) < 0)
        log_error("Too many downloads wait for tempoftpd, one of %s is not counted", c->account);
}

/* -EBADMSG: what it asks for no session of ours asks for. */
static int on_message(Listener *l, Connection *c, const WireMessage *m) {
    switch (m->header.type) {
    case WIRE_TRANSFER:
        on_transfer(l, c, &m->transfer);
        break;
    case WIRE_WHERE:
        query_on_where(l, c, &m->where);
        break;
    case WIRE_STAYS:
        query_on_stays(l, c, m->header.serial);
        break;
    case WIRE_BUSY:
    case WIRE_IDLE:
        share_busy(l, c, m->header.type == WIRE_BUSY);
        break;
    case WIRE_CONNECT:
        return dial_start(c, &m->connect);
    case WIRE_ROOM:
        return lease_on_room(l, c, &m->room);
    case WIRE_SETTLE:
        return lease_on_settle(l, c, &m->settle);
    case WIRE_COUNTED:
        return lease_on_counted(l, c, &m->counted);
    case WIRE_AGAIN:
        c->again = true;
        break;
    case WIRE_BYE:
        strcpy(c->farewell, m->bye.reason);
        break;
    }
    return 0;
}

void watch_end(Listener *l, Connection *c, const char *reason) {
    record_end(c, reason);
    query_on_gone(l, c);
    if (c->busy)
        share_busy(l, c, false);
    lease_on_gone(l, c);
    listener_drop(l, c);
}

/* Its process is dead: nobody but the client has the other end of a control connection that is used again. */
static void on_dead(Listener *l, Connection *c) {
    _cleanup_close_ int control = c->again ? TAKE_FD(c->control_fd) : -EBADF;
    struct sockaddr_storage peer = c->peer;

    watch_end(l, c, c->farewell[0] ? c->farewell : "killed");
    if (control >= 0)
        listener_take_client(l, TAKE_FD(control), &peer);
}

uint64_t watch_pause_ms(size_t capacity) {
    size_t ms = capacity / REPORTS_A_MS;
    return ms < 1 ? 1 : ms > PAUSE_MS_MAX ? PAUSE_MS_MAX : ms;
}

/* A session that sends file after file is heard every few milliseconds: waking up for each of its reports is a tenth of what a small file costs. They lie
 * in the socket meanwhile, whatever becomes of the session. */
static void pause_often(Listener *l, Connection *c, unsigned reports) {
    uint64_t now = monotonic_ms();
    bool often = reports > 1 || now - c->reported_ms <= OFTEN_MS;

    c->reported_ms = now;
    if (often && sd_event_source_set_enabled(c->wire_source, SD_EVENT_OFF) >= 0)
        listener_hold(l, c, now + l->pause_ms);
}

void watch_resume(Connection *c) {
    listener_release(c->listener, c);
    int r = sd_event_source_set_enabled(c->wire_source, SD_EVENT_ON);
    if (r < 0) { /* out of kernel memory: a session that nobody hears must not go on */
        log_errno(r, "Cannot listen to the session of %s any more", c->account);
        watch_end(c->listener, c, "killed");
        return;
    }
    lease_resume(c);
}

int watch_on_wire(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    Connection *c = userdata;
    Listener *l = c->listener;
    WireMessage m;
    unsigned reports = 0; /* since anything else: whoever also asks for things must not wait for answers */

    for (unsigned i = 0; i < MESSAGES_A_TURN; i++) {
        int r = wire_receive(fd, WIRE_SESSION, &m);
        if (r > 0) {
            reports = m.header.type == WIRE_TRANSFER ? reports + 1 : 0;
            if (reports == 0)
                c->reported_ms = 0;
            r = on_message(l, c, &m) < 0 ? -EBADMSG : 1;
        }
        if (r == -EAGAIN) {
            if (reports > 0)
                pause_often(l, c, reports);
            return 0;
        }
        if (r == -EBADMSG) {
            record_misbehaviour(c);
            watch_end(l, c, "killed");
            return 0;
        }
        if (r <= 0) {
            on_dead(l, c);
            return 0;
        }
    }
    return 0;
}

void watch_sweep(Listener *l, int64_t utc) {
    for (size_t i = 0; i < l->connections.top; i++) {
        Connection *c = &l->connections.rows[i];
        if (c->state == CONNECTION_SESSION && c->expira < INT64_MAX - EXPIRY_GRACE_SECONDS && utc > c->expira + EXPIRY_GRACE_SECONDS)
            jail_kill(c->pid, c->wire_fd); /* its EOF does the rest */
    }
}

/* One that does not hear it is ended by watch_sweep() if its end comes sooner now, and ends by itself, as it had been told, if later. */
static void set_end(Connection *c, int64_t expira) {
    WireMessage m = { .until = { .header = { .type = WIRE_UNTIL }, .expira = expira } };
    int64_t before = c->expira;

    c->expira = expira;
    if (c->state == CONNECTION_ADMITTED) /* it has no process yet */
        return;
    if (wire_send_now(c->wire_fd, &m) < 0)
        log_debug("A session of %s does not hear until when it may go on", c->account);
    if (c->listener->config->service && c->state > CONNECTION_BEARING) /* else it will be named so */
        store_rename(c, before);
}

uint32_t watch_set_end(Listener *l, const char *account, int64_t expira) {
    uint32_t n = 0;

    for (size_t i = 0; i < l->connections.top; i++) {
        Connection *c = &l->connections.rows[i];
        if (!connection_is_session(c) || !streq(c->account, account) || c->expira == expira)
            continue;
        set_end(c, expira);
        n++;
    }
    return n;
}
