/* Accepts, limits, forks, waits: the frame that the listener's other rooms hang in.
 *
 * Children are asked of the zygotes between turns of the event loop, never inside a handler, so that a connection may be dropped there. No byte of a
 * client is read here. */
#include "ftpd/listener.h"

#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "crypto/password.h"
#include "ftpd/address.h"
#include "ftpd/prelogin.h"
#include "ftpd/record.h"
#include "units/own_unit.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/random.h>
#include <systemd/sd-daemon.h>

#define SWEEP_MS 10000
#define BIRTH_TIMEOUT_MS 30000 /* a process that can't be made */
#define SHORTAGE_MS 500        /* from one attempt to accept to the next, when there is no room */
#define SHORTAGE_WORD_MS 60000 /* after so long without, it is said again */
#define USEC_PER_MS 1000ULL

/* ---- due connections ---- */

void listener_hold(Listener *l, Connection *c, uint64_t until_ms) {
    c->hold_ms = until_ms;
    if (!c->listed)
        TAILQ_INSERT_TAIL(&l->due, c, entry);
    c->listed = true;
}

void listener_release(Listener *l, Connection *c) {
    if (c->listed)
        TAILQ_REMOVE(&l->due, c, entry);
    c->listed = false;
}

void listener_drop(Listener *l, Connection *c) {
    /* Who has not spoken yet finds that nobody listens, and ends before it hears of the client. */
    if (c->wire_fd >= 0 && (c->pid != 0 || birth_hello(c->wire_fd, &c->pid) > 0))
        jail_kill(c->pid, c->wire_fd);
    if (c->ticket)
        l->auth->v->cancel(TAKE_PTR(c->ticket));
    listener_release(l, c);
    connections_remove(&l->connections, c);
}

int listener_watch_wire(Listener *l, Connection *c, sd_event_io_handler_t handler) {
    return sd_event_add_io(l->event, &c->wire_source, c->wire_fd, EPOLLIN, handler, c);
}

/* ---- accepting ---- */

static RecordLimit limit_reached(const Listener *l, const struct in6_addr *key) {
    if (bans_has(l->bans, key, monotonic_ms()))
        return LIMIT_BANNED;
    if (l->connections.n >= l->config->connections_max)
        return LIMIT_CONNECTIONS;
    if (connections_count_site(&l->connections, key) >= l->config->site_max)
        return LIMIT_ADDRESS;
    return LIMIT_NONE;
}

static const char *const limit_replies[] = {
    [LIMIT_BANNED] = "Demasiados intentos fallidos desde su dirección; intente más tarde.",
    [LIMIT_CONNECTIONS] = "Demasiadas conexiones; intente más tarde.",
    [LIMIT_ADDRESS] = "Demasiadas conexiones desde su dirección; intente más tarde.",
};

void listener_take_client(Listener *l, int control, const struct sockaddr_storage *peer) {
    _cleanup_close_ int owned = control;
    struct in6_addr key = address_key((const struct sockaddr *) peer);
    RecordLimit limit = limit_reached(l, &key);
    Connection *c = limit ? NULL : connections_add(&l->connections);
    char text[ADDRESS_TEXT_MAX];

    if (!c) {
        limit = limit ? limit : LIMIT_CONNECTIONS;
        address_text((const struct sockaddr *) peer, text);
        record_limit(NULL, text, limit);
        reply_now(control, 421, limit_replies[limit]);
        return;
    }
    c->listener = l;
    c->control_fd = TAKE_FD(owned);
    c->peer = *peer;
    c->key = key;
    socklen_t size = sizeof(c->local);
    if (getsockname(c->control_fd, (struct sockaddr *) &c->local, &size) < 0) {
        connections_remove(&l->connections, c);
        return;
    }
    address_text((struct sockaddr *) &c->peer, c->peer_text);
    listener_hold(l, c, 0);
}

static void set_accepting(Listener *l, int enabled) {
    for (size_t i = 0; i < l->n_listen; i++)
        (void) sd_event_source_set_enabled(l->accept_sources[i], enabled);
    l->accept_ms = 0;
}

/* Who waits stays in the socket's queue, and would wake us up again at once. */
static void accept_later(Listener *l, int error) {
    uint64_t now = monotonic_ms();

    if (l->shortage_ms == 0 || now - l->shortage_ms > SHORTAGE_WORD_MS)
        log_errno(error, "Cannot accept a client, new ones wait (LimitNOFILE= of the unit, ulimit -n, memory)");
    l->shortage_ms = now;
    set_accepting(l, SD_EVENT_OFF);
    l->accept_ms = now + SHORTAGE_MS;
}

static int on_accept(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof(peer);

    int control = accept4(fd, (struct sockaddr *) &peer, &size, SOCK_CLOEXEC);
    if (control >= 0)
        listener_take_client(userdata, control, &peer);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) /* otherwise it is gone already */
        accept_later(userdata, -errno);
    return 0;
}

int listener_add_socket(Listener *l, int fd) {
    _cleanup_close_ int owned = fd;
    const int on = 1;

    if (l->n_listen == LISTEN_FDS_MAX)
        return -E2BIG;
    int r = set_nonblocking(fd, true);
    if (r < 0)
        return r;
    /* Inherited by what is accepted: urgent bytes of ABOR stay in line, replies don't wait for each other, dead peers are found. */
    if (setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) < 0 || setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        return -errno;
    r = sd_event_add_io(l->event, &l->accept_sources[l->n_listen], fd, EPOLLIN, on_accept, l);
    if (r < 0)
        return r;
    l->listen_fds[l->n_listen++] = TAKE_FD(owned);
    return 0;
}

/* ---- children ---- */

static void describe(const Listener *l, const Connection *c, SessionStart *ret) {
    *ret = (SessionStart) {
        .peer = c->peer,
        .local = c->local,
        .expira = c->expira,
        .quota = c->quota,
        .pasv_min = l->config->pasv_min,
        .pasv_max = l->config->pasv_max,
        .keep_ports = (size_t) (l->config->pasv_max - l->config->pasv_min) >= l->config->connections_max,
        .pasv_address = l->config->pasv_address,
        .tls_mode = l->config->tls_mode,
        .tls = c->tls,
        .protect = c->protect,
        .tls_any = l->config->tls_any,
        .wait_for_go = l->config->service,
        .login_ms = l->config->login_ms,
        .idle_ms = l->config->session_idle_ms,
        .stall_ms = l->config->stall_ms,
        .rate = l->config->session_rate,
        .shares = l->config->account_rate > 0,
    };
    strcpy(ret->drop, c->drop);
    memcpy(ret->ticket_key, c->ticket_key, sizeof(ret->ticket_key));
}

static void refuse_unspawned(Listener *l, Connection *c, int r) {
    log_errno(r, "Cannot start a process for a client from %s", c->peer_text);
    if (c->control_fd >= 0) {
        reply_now(c->control_fd, 421, "El servicio no está disponible; intente más tarde.");
        (void) shutdown(c->control_fd, SHUT_RDWR); /* on its way to a child that may be born late there is a copy */
    }
    listener_drop(l, c);
}

static void close_folders(Connection *c) {
    cleanup_close_(&c->home_fd);
    cleanup_close_(&c->drop_fd);
    c->home_fd = c->drop_fd = -EBADF;
}

/* The session has spoken. */
static int begin_session(Listener *l, Connection *c) {
    if (c->tls) {
        cleanup_close_(&c->control_fd);
        c->control_fd = -EBADF;
    }
    c->state = CONNECTION_SESSION;
    listener_release(l, c);
    record_login(c);
    return l->config->service ? store_session(l, c) : 0;
}

/* The pre-login child has spoken: its client's time begins, however long it waited. */
static void begin_prelogin(Listener *l, Connection *c) {
    c->login_by_ms = monotonic_ms() + l->config->login_ms + PRELOGIN_GRACE_MS;
    listener_hold(l, c, c->login_by_ms);
}

/* 1: the child has spoken. 0: not yet. -ECHILD: it ended before that. */
static int on_birth(Listener *l, Connection *c) {
    int r = birth_hello(c->wire_fd, &c->pid);
    if (r <= 0)
        return r == -EAGAIN ? 0 : -ECHILD;
    if (c->state == CONNECTION_BEARING)
        r = begin_session(l, c);
    else
        begin_prelogin(l, c);
    return r < 0 ? r : 1;
}

static int on_wire(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    Connection *c = userdata;

    if (c->pid == 0) {
        int r = on_birth(c->listener, c);
        if (r < 0)
            refuse_unspawned(c->listener, c, r);
        if (r <= 0)
            return 0;
    }
    return connection_is_session(c) ? watch_on_wire(source, fd, revents, c) : login_on_wire(source, fd, revents, c);
}

/* The pre-login child has done its duty; it must not share the client with the session. */
static void end_prelogin(Connection *c) {
    jail_kill(c->pid, c->wire_fd);
    c->wire_source = sd_event_source_disable_unref(c->wire_source);
    cleanup_close_(&c->wire_fd);
    c->wire_fd = -EBADF;
}

/* Between the client and its pre-login child: the relay has the client's socket from here on, the other two the relay's inner side. */
static int spawn_relay(Listener *l, Connection *c) {
    WireMessage m = { .header = { .type = WIRE_RELAYED } };
    const BirthFds fds = { .control = c->control_fd, .home = -EBADF, .drop = -EBADF };
    SessionStart start;
    int inner;

    random_bytes(c->ticket_key, sizeof(c->ticket_key));
    c->tls = true;
    describe(l, c, &start);
    int r = birth_give(&l->config->zygotes[JAIL_RELAY], &fds, &start, &inner);
    wipe(&start, sizeof(start));
    if (r < 0)
        return r;
    cleanup_close_(&c->control_fd);
    c->control_fd = inner;
    c->state = CONNECTION_PRELOGIN;
    listener_hold(l, c, c->login_by_ms);
    return wire_send_fd_now(c->wire_fd, &m, c->control_fd);
}

/* -ECONNRESET: no more children, the zygote is gone. */
static int spawn(Listener *l, Connection *c) {
    bool session = c->state == CONNECTION_ADMITTED;
    const BirthFds fds = { .control = c->control_fd, .home = c->home_fd, .drop = c->drop_fd };
    JailKind kind = !session ? JAIL_PRELOGIN : c->drop_fd >= 0 ? JAIL_WRITER : JAIL_READER;
    SessionStart start;

    describe(l, c, &start);
    if (session)
        end_prelogin(c);
    c->pid = 0;
    int r = birth_give(&l->config->zygotes[kind], &fds, &start, &c->wire_fd);
    wipe(&start, sizeof(start));
    if (r < 0)
        return r;
    close_folders(c);
    c->state = session ? CONNECTION_BEARING : CONNECTION_PRELOGIN;
    listener_hold(l, c, monotonic_ms() + BIRTH_TIMEOUT_MS);
    r = listener_watch_wire(l, c, on_wire);
    return r < 0 ? r : on_birth(l, c); /* it may have waited for long */
}

/* ---- turns ---- */

static void on_due(Listener *l, Connection *c) {
    switch (c->state) {
    case CONNECTION_PRELOGIN:
    case CONNECTION_DISMISSED:
    case CONNECTION_BEARING:
        if (c->pid == 0)
            refuse_unspawned(l, c, -ETIMEDOUT);
        else
            listener_drop(l, c); /* it should have ended by itself */
        break;
    case CONNECTION_PENALTY:
        login_penalty_over(c);
        break;
    case CONNECTION_STORING:
        log_warning("systemd does not confirm that it keeps the session of %s; it would not outlive a restart", c->account);
        store_over(l, c);
        break;
    case CONNECTION_SESSION:
        watch_resume(c);
        break;
    default:
        listener_release(l, c);
    }
}

static int turn(Listener *l, uint64_t now) {
    Connection *next;

    for (Connection *c = TAILQ_FIRST(&l->due); c; c = next) {
        next = TAILQ_NEXT(c, entry);
        if (c->state == CONNECTION_ACCEPTED || c->state == CONNECTION_SECURING || c->state == CONNECTION_ADMITTED) {
            int r = c->state == CONNECTION_SECURING ? spawn_relay(l, c) : spawn(l, c);
            if (r < 0)
                refuse_unspawned(l, c, r);
            if (r == -ECONNRESET)
                return r;
        } else if (now >= c->hold_ms)
            on_due(l, c);
    }
    queries_turn(l, now);
    if (l->accept_ms != 0 && now >= l->accept_ms)
        set_accepting(l, SD_EVENT_ON);
    if (l->downloads)
        downloads_turn(l->downloads, now, false);
    if (l->connections.sessions > 0 && now >= l->sweep_ms) {
        watch_sweep(l, utc_now());
        l->sweep_ms = now + SWEEP_MS;
    }
    return 0;
}

/* Nobody takes sessions over. They see the end of their wires and say goodbye; who has no process yet is left without a word. */
static void dismiss(Listener *l) {
    for (size_t i = 0; i < l->connections.top; i++) {
        Connection *c = &l->connections.rows[i];
        if (c->state == CONNECTION_ACCEPTED || c->state == CONNECTION_ADMITTED || c->state == CONNECTION_BEARING)
            listener_drop(l, c);
        else if (c->state != CONNECTION_FREE)
            (void) shutdown(c->wire_fd, SHUT_WR);
    }
}

void listener_stop(Listener *l) {
    if (l->stop_ms != 0)
        return;
    if (!l->config->service) /* however it ends: nobody starts another one */
        l->for_good = true;
    l->stop_ms = monotonic_ms() + STOP_TIMEOUT_MS;
    set_accepting(l, SD_EVENT_OFF);
    if (l->downloads)
        downloads_turn(l->downloads, monotonic_ms(), true);
    if (l->for_good)
        dismiss(l);
    if (l->name && bus_name_release(l->name) < 0)
        l->stop_ms = 1; /* the bus is gone: nothing to wait for */
}

static bool owes_nothing(const Listener *l) {
    return l->queries.n == 0 && (!l->downloads || downloads_is_empty(l->downloads));
}

static void consider_idleness(Listener *l, uint64_t now) {
    /* A ban lives in this process: it stays as long as the last one. */
    bool idle = l->connections.n == 0 && l->auth->v->idle(l->auth) && owes_nothing(l) && now >= bans_end(l->bans);

    if (!idle || !l->config->service || l->config->idle_ms == 0)
        l->idle_since_ms = 0;
    else if (l->idle_since_ms == 0)
        l->idle_since_ms = now;
    else if (now - l->idle_since_ms >= l->config->idle_ms)
        listener_stop(l);
}

static bool is_over(const Listener *l, uint64_t now) {
    if (l->stop_ms == 0)
        return false;
    if (now >= l->stop_ms)
        return true;
    if (l->for_good && l->connections.n > 0)
        return false;
    return owes_nothing(l) && (!l->name || bus_name_is_released(l->name));
}

/* Whoever has not heard that it is over: it hangs, or was taken over. */
static void kill_deaf(Listener *l) {
    for (size_t i = 0; i < l->connections.top; i++)
        if (l->connections.rows[i].state != CONNECTION_FREE)
            listener_drop(l, &l->connections.rows[i]);
}

static uint64_t next_deadline(const Listener *l, uint64_t now) {
    uint64_t next = queries_deadline(&l->queries);
    const Connection *c;

#define EARLIER(t) next = (t) < next ? (t) : next
    TAILQ_FOREACH(c, &l->due, entry)
        EARLIER(c->hold_ms);
    if (l->downloads)
        EARLIER(downloads_deadline(l->downloads));
    if (l->connections.sessions > 0)
        EARLIER(l->sweep_ms);
    if (l->accept_ms != 0)
        EARLIER(l->accept_ms);
    if (l->stop_ms != 0)
        EARLIER(l->stop_ms);
    else if (l->idle_since_ms != 0)
        EARLIER(l->idle_since_ms + l->config->idle_ms);
    else if (l->connections.n == 0 && bans_end(l->bans) > now)
        EARLIER(bans_end(l->bans));
#undef EARLIER
    return next;
}

int listener_run(Listener *l) {
    for (;;) {
        uint64_t now = monotonic_ms();
        int r = turn(l, now);
        if (r < 0)
            return r;
        consider_idleness(l, now);
        if (is_over(l, now)) {
            if (l->for_good)
                kill_deaf(l);
            return 0;
        }
        uint64_t next = next_deadline(l, now);
        r = sd_event_run(l->event, next == UINT64_MAX ? UINT64_MAX : next > now ? (next - now) * USEC_PER_MS : 0);
        if (r < 0)
            return r == -ESTALE ? -ECONNRESET : r; /* the bus connection broke: systemd starts us again, sessions live on */
    }
}

/* ---- beginning and end ---- */

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
    Listener *l = userdata;

    l->for_good = l->config->service && own_unit_stops(l->bus);
    listener_stop(l);
    return 0;
}

int listener_init(Listener *l, const ListenerConfig *config) {
    sigset_t signals;

    *l = (Listener) { .config = config, .pause_ms = watch_pause_ms(wire_capacity()) };
    TAILQ_INIT(&l->due);
    TAILQ_INIT(&l->drops);
    queries_init(&l->queries);
    raise_fd_limit(); /* after the zygotes: it is no child's */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
        return -errno;
    uint64_t seed;
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        return -EIO;
    int r = connections_init(&l->connections);
    if (r >= 0)
        r = bans_new(&config->ban, seed, &l->bans);
    if (r >= 0)
        r = sd_event_new(&l->event);
    if (r >= 0)
        r = sd_event_add_signal(l->event, NULL, SIGTERM, on_signal, l);
    if (r >= 0)
        r = sd_event_add_signal(l->event, NULL, SIGINT, on_signal, l);
    return r;
}

void listener_done(Listener *l) {
    if (l->downloads && l->for_good)
        downloads_log_unsent(l->downloads);
    queries_done(&l->queries);
    leases_done(l);
    for (size_t i = 0; i < l->connections.top; i++)
        if (l->connections.rows[i].ticket)
            l->auth->v->cancel(TAKE_PTR(l->connections.rows[i].ticket));
    connections_done(&l->connections);
    bans_free(l->bans);
    for (size_t i = 0; i < l->n_listen; i++) {
        sd_event_source_disable_unref(l->accept_sources[i]);
        cleanup_close_(&l->listen_fds[i]);
    }
    downloads_free(l->downloads);
    auth_source_free(l->auth);
    bus_name_free(l->name);
    sd_bus_flush_close_unref(l->bus);
    sd_event_unref(l->event);
}
