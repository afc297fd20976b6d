/* From a pre-login child's question to a session's place: checks asked for, refusals held back and counted.
 *
 * A refusal is delayed here, in the listener, so that a child that was taken over can't skip the wait. */
#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "ftpd/listener.h"
#include "ftpd/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static void answer(Connection *c, WireType type) {
    WireMessage m = { .header = { .type = type } };

    c->state = type == WIRE_DENIED ? CONNECTION_PRELOGIN : CONNECTION_DISMISSED; /* one that was taken over would ask on */
    listener_hold(c->listener, c, c->login_by_ms);
    if (wire_send_now(c->wire_fd, &m) < 0)
        listener_drop(c->listener, c);
}

void login_penalty_over(Connection *c) {
    bool over = c->tries >= LOGIN_TRIES_MAX || bans_has(c->listener->bans, &c->key, monotonic_ms());
    answer(c, over ? WIRE_CLOSE : WIRE_DENIED);
}

static void refuse(Connection *c, const char *reason) {
    Listener *l = c->listener;
    uint64_t now = monotonic_ms();
    bool banned;

    c->tries++;
    record_refused(c, reason);
    /* The wait grows with the refusals of the address, so that a new connection is no fresh start. */
    uint32_t refusals = bans_refused(l->bans, &c->key, now, &banned);
    if (banned)
        record_ban(c, refusals, l->config->ban.window_ms);
    uint32_t doublings = (refusals > c->tries ? refusals : c->tries) - 1;
    c->state = CONNECTION_PENALTY;
    listener_hold(l, c, now + (PENALTY_FIRST_MS << (doublings < PENALTY_DOUBLINGS_MAX ? doublings : PENALTY_DOUBLINGS_MAX)));
}

static void refuse_unavailable(Connection *c, int error) {
    record_unavailable(c, error);
    answer(c, WIRE_UNAVAILABLE);
}

static void on_answer(void *userdata, int error, const AuthAnswer *a) {
    Connection *c = userdata;

    c->ticket = NULL;
    if (error < 0) {
        refuse_unavailable(c, error);
        return;
    }
    if (!a->ok || a->expira <= utc_now()) {
        refuse(c, a->ok ? "expired" : a->reason);
        return;
    }
    if (a->drop && strlen(a->drop) >= sizeof(c->drop)) {
        refuse_unavailable(c, -ENAMETOOLONG);
        return;
    }
    if (connections_count_account(&c->listener->connections, c->account) >= c->listener->config->account_max) {
        record_limit(c->account, c->peer_text, LIMIT_ACCOUNT);
        answer(c, WIRE_FULL);
        return;
    }
    c->home_fd = open(a->home, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (c->home_fd < 0) {
        refuse_unavailable(c, -errno);
        return;
    }
    if (a->drop && a->drop[0])
        c->drop_fd = jail_open_drop(c->home_fd, a->drop); /* no such folder: a session that reads */
    c->expira = a->expira;
    c->quota = a->quota;
    snprintf(c->drop, sizeof(c->drop), "%s", c->drop_fd >= 0 ? a->drop : "");
    c->login_utc = utc_now();
    c->state = CONNECTION_ADMITTED;
    c->listener->connections.sessions++;
    listener_hold(c->listener, c, 0); /* the next turn forks */
}

static void check(Connection *c, const WireLogin *login) {
    Listener *l = c->listener;

    snprintf(c->account, sizeof(c->account), "%s", login->user);
    c->protect = c->tls && login->protect;
    if (bans_has(l->bans, &c->key, monotonic_ms())) { /* connected before the ban began: no more guesses all the same */
        record_limit(NULL, c->peer_text, LIMIT_BANNED);
        answer(c, WIRE_CLOSE);
        return;
    }
    if (login->user[0] == '\0') {
        refuse(c, "unknown");
        return;
    }
    c->state = CONNECTION_CHECKING;
    listener_release(l, c);
    AuthTicket *ticket = NULL;
    int r = l->auth->v->start(l->auth, login->user, login->password, c->peer_text, on_answer, c, &ticket);
    if (r < 0)
        refuse_unavailable(c, r);
    else if (ticket)
        c->ticket = ticket;
}

/* AUTH TLS: once. */
static void secure(Connection *c) {
    c->state = CONNECTION_SECURING;
    listener_hold(c->listener, c, 0); /* the next turn makes the relay */
}

int login_on_wire(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    Connection *c = userdata;
    WireMessage m;

    int r = wire_receive(fd, WIRE_PRELOGIN, &m);
    if (r > 0 && c->state == CONNECTION_PRELOGIN && m.header.type == WIRE_LOGIN)
        check(c, &m.login);
    else if (r > 0 && c->state == CONNECTION_PRELOGIN && c->listener->config->tls_mode != TLS_OFF && !c->tls)
        secure(c);
    else if (r > 0 || r == -EBADMSG) { /* nobody asks twice at once, or after the last word */
        record_misbehaviour(c);
        listener_drop(c->listener, c);
    } else if (r != -EAGAIN) { /* it ended: the client left or was shown the door */
        if (c->state == CONNECTION_PRELOGIN && monotonic_ms() + PRELOGIN_GRACE_MS >= c->login_by_ms)
            record_limit(NULL, c->peer_text, LIMIT_LOGIN_TIME);
        listener_drop(c->listener, c);
    }
    wipe(&m, sizeof(m));
    return 0;
}
