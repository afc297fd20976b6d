/* Carries the control connection's bytes between TLS and a socket pair. It opens nothing and looks at no more than
 * replies' codes.
 *
 * Its end is its neighbours': the client's hanging up closes the pair, so that the session sees the end; the session's end (quit, expiry, revocation,
 * SIGKILL) closes the pair from the other side, and the client gets what was said last, close_notify, and the end. */
#include "ftpd/tls_relay.h"

#include "basic/strings.h"
#include "basic/time.h"
#include "ftpd/jail.h"
#include "ftpd/takeover.h"
#include "ftpd/tls_keeper.h"

#include <poll.h>
#include <sys/socket.h>

#define HANDSHAKE_MS 30000
#define SEND_MS 30000    /* a client that reads nothing */
#define FAREWELL_MS 5000 /* the same, when the session is over */
#define RELAY_CHUNK 4096
#define RELAY_BYTES 4096 /* a turn */

typedef struct Relay {
    TlsLink *link;
    bool has_ticket; /* the client has one that it has not used yet */
} Relay;

/* ---- the transport: the client's socket ---- */

static bool session_is_over(void) {
    struct pollfd pfd = { .fd = RELAY_INNER_FD };
    return poll(&pfd, 1, 0) > 0 && (pfd.revents & (POLLHUP | POLLERR));
}

static int send_all(void *userdata, const void *data, size_t size) {
    const char *p = data;
    uint64_t since = monotonic_ms();

    while (size > 0) {
        ssize_t n = send(CHILD_CONTROL_FD, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            p += n;
            size -= (size_t) n;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        struct pollfd pfd = { .fd = CHILD_CONTROL_FD, .events = POLLOUT };
        (void) poll(&pfd, 1, 1000);
        if (monotonic_ms() - since >= (session_is_over() ? FAREWELL_MS : SEND_MS))
            return -ETIMEDOUT;
    }
    return 0;
}

/* OpenSSL goes on by itself through messages of its own (KeyUpdate), of which a client may send as many as it likes: nobody is heard past the session's end. */
static ssize_t receive_some(void *userdata, void *data, size_t size) {
    ssize_t n;

    if (session_is_over())
        return -EAGAIN;
    do
        n = recv(CHILD_CONTROL_FD, data, size, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static int handshake(TlsLink *l) {
    uint64_t until = monotonic_ms() + HANDSHAKE_MS;

    for (;;) {
        int r = tls_link_handshake(l);
        if (r != -EAGAIN)
            return r;
        uint64_t now = monotonic_ms();
        struct pollfd pfd = { .fd = CHILD_CONTROL_FD, .events = POLLIN };
        if (now >= until || session_is_over())
            return -ETIMEDOUT;
        (void) poll(&pfd, 1, (int) (until - now < 1000 ? until - now : 1000));
    }
}

/* ---- the bytes ---- */

/* What a data connection follows: the answers to PROT, PORT and EPRT (200), to PASV and EPSV, and the end of the one before. */
static bool comes_before_data(const char *line, size_t size) {
    static const char codes[][4] = { "200", "226", "227", "229" };

    for (size_t i = 0; i < ELEMENTS(codes) && size >= 3; i++)
        if (memcmp(line, codes[i], 3) == 0)
            return true;
    return false;
}

/* A data connection needs a ticket, and clients use one of TLS 1.3 once: when it was used, or may have been, they get the next one. Over this connection, because
 * clients that only write (an upload) would read none from the other one. */
static void give_ticket(Relay *r, const char *replies, size_t size) {
    for (const char *line = replies, *end = replies + size; line < end;) {
        if (strchr("145", line[0])) /* a transfer begins or fails */
            r->has_ticket = false;
        else if (!r->has_ticket && comes_before_data(line, (size_t) (end - line))) {
            tls_link_renew(r->link);
            r->has_ticket = true;
        }
        const char *next = memchr(line, '\n', (size_t) (end - line));
        line = next ? next + 1 : end;
    }
}

/* 1: go on. 0: the session is over. */
static int from_session(Relay *relay) {
    char data[RELAY_BYTES];

    ssize_t n = recv(RELAY_INNER_FD, data, sizeof(data), MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 1 : -errno;
    if (n == 0)
        return 0;
    give_ticket(relay, data, (size_t) n);
    int r = tls_link_send(relay->link, data, (size_t) n, false);
    return r < 0 ? r : 1;
}

/* To the session; it reads or ends. What it says meanwhile goes out, or it and a client who sends many commands at once would wait for each other. */
static int pass_on(Relay *relay, const char *data, size_t size) {
    struct pollfd pfd = { .fd = RELAY_INNER_FD, .events = POLLIN | POLLOUT };
    int r = 1;

    while (size > 0 && r > 0) {
        ssize_t n = send(RELAY_INNER_FD, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            data += n;
            size -= (size_t) n;
        } else if (errno != EAGAIN && errno != EINTR)
            r = -errno;
        else if (poll(&pfd, 1, -1) > 0 && pfd.revents & POLLIN)
            r = from_session(relay);
    }
    return r;
}

/* 1: go on. 0: the client or the session is gone; the client with close_notify or (negative) without: no difference for commands, a cut line is none. */
static int from_client(Relay *relay) {
    char data[RELAY_BYTES];

    for (;;) {
        ssize_t n = tls_link_receive(relay->link, data, sizeof(data));
        if (n <= 0)
            return n == -EAGAIN ? 1 : (int) n;
        TAKEOVER_RELAY(relay->link, data, (size_t) n);
        int r = pass_on(relay, data, (size_t) n);
        wipe(data, (size_t) n); /* it may have been a password */
        if (r <= 0)
            return r;
    }
}

static int carry(Relay *relay) {
    struct pollfd fds[] = {
        { .fd = CHILD_CONTROL_FD, .events = POLLIN },
        { .fd = RELAY_INNER_FD, .events = POLLIN },
    };
    int r = from_client(relay); /* what came with the handshake's last bytes */

    while (r > 0) {
        if (poll(fds, ELEMENTS(fds), -1) < 0)
            continue;
        if (fds[1].revents)
            r = from_session(relay);
        if (r > 0 && fds[0].revents)
            r = from_client(relay);
    }
    return r;
}

int relay_run(TlsServer *server, const uint8_t ticket_key[static TLS_TICKET_KEY_SIZE]) {
    const TlsTransport transport = { .send = send_all, .receive = receive_some };
    Relay relay = { .has_ticket = true }; /* with the handshake; it ends with the process: freeing and wiping it would only bring more pages in */
    int keeper = RELAY_KEEPER_FD;

    int r = tls_server_set_ticket_key(server, ticket_key);
    if (r < 0)
        return r;
    tls_server_set_signer(server, keeper_ask, &keeper);
    r = tls_link_new(server, TLS_CONTROL, true, RELAY_CHUNK, &transport, &relay.link);
    if (r >= 0)
        r = handshake(relay.link);
    if (r < 0)
        return r;
    r = carry(&relay);
    (void) !tls_link_finish(relay.link);
    return r;
}
