/* Carries the control connection's bytes between TLS and a socket pair. It opens nothing and looks at no more than
 * a reply's first two digits.
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

static ssize_t receive_some(void *userdata, void *data, size_t size) {
    ssize_t n;
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

/* To the session; it reads or ends. */
static int pass_on(const char *data, size_t size) {
    while (size > 0) {
        ssize_t n = send(RELAY_INNER_FD, data, size, MSG_NOSIGNAL);
        if (n >= 0) {
            data += n;
            size -= (size_t) n;
        } else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

/* 1: go on. 0: the client is gone, with close_notify or (negative) without: no difference for commands, a cut line is none. */
static int from_client(TlsLink *l) {
    char data[RELAY_BYTES];

    for (;;) {
        ssize_t n = tls_link_receive(l, data, sizeof(data));
        if (n <= 0)
            return n == -EAGAIN ? 1 : (int) n;
        TAKEOVER_RELAY(l, data, (size_t) n);
        int r = pass_on(data, (size_t) n);
        wipe(data, (size_t) n); /* it may have been a password */
        if (r < 0)
            return r;
    }
}

/* 22x: a data connection was announced or is over. OpenSSL's clients use a ticket of TLS 1.3 once; those that only write (an upload) would read
 * none from a data connection. */
static bool wants_ticket(const char *replies, size_t size) {
    return size >= 2 && replies[0] == '2' && replies[1] == '2';
}

/* 1: go on. 0: the session is over. */
static int from_session(TlsLink *l) {
    char data[RELAY_BYTES];

    ssize_t n = recv(RELAY_INNER_FD, data, sizeof(data), MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 1 : -errno;
    if (n == 0)
        return 0;
    if (wants_ticket(data, (size_t) n))
        tls_link_renew(l);
    int r = tls_link_send(l, data, (size_t) n, false);
    return r < 0 ? r : 1;
}

static int carry(TlsLink *l) {
    struct pollfd fds[] = {
        { .fd = CHILD_CONTROL_FD, .events = POLLIN },
        { .fd = RELAY_INNER_FD, .events = POLLIN },
    };
    int r = from_client(l); /* what came with the handshake's last bytes */

    while (r > 0) {
        if (poll(fds, ELEMENTS(fds), -1) < 0)
            continue;
        if (fds[1].revents)
            r = from_session(l);
        if (r > 0 && fds[0].revents)
            r = from_client(l);
    }
    return r;
}

int relay_run(TlsServer *server, const uint8_t ticket_key[static TLS_TICKET_KEY_SIZE]) {
    const TlsTransport transport = { .send = send_all, .receive = receive_some };
    TlsLink *link = NULL; /* it ends with the process: freeing and wiping it would only bring more pages in */
    int keeper = RELAY_KEEPER_FD;

    int r = tls_server_set_ticket_key(server, ticket_key);
    if (r < 0)
        return r;
    tls_server_set_signer(server, keeper_ask, &keeper);
    r = tls_link_new(server, TLS_CONTROL, true, RELAY_CHUNK, &transport, &link);
    if (r >= 0)
        r = handshake(link);
    if (r < 0)
        return r;
    r = carry(link);
    (void) !tls_link_finish(link);
    return r;
}
