/* One data connection at a time: its port, its peer, its bytes.
 *
 * Small files go out with one non-blocking call. Longer ones switch the socket to blocking and let an interval timer interrupt the call, so that
 * 1 GiB takes a handful of system calls and the session still looks up five times a second. It knows no commands and no replies. */
#include "ftpd/data.h"

#include "basic/fds.h"
#include "basic/time.h"
#include "ftpd/address.h"
#include "ftpd/data_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/time.h>

#define SENDFILE_MAX (1UL << 30) /* a call that is never made to wait sees no timer; this bounds it */
#define STRANGERS_MAX 64         /* connections from elsewhere that one accept puts up with */

/* ---- the port ---- */

static int listen_on_port(const struct sockaddr *local, uint16_t port) {
    struct sockaddr_storage address = { 0 };
    socklen_t size = local->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    memcpy(&address, local, size);
    ((struct sockaddr_in *) &address)->sin_port = htons(port); /* the same place in sockaddr_in6 */

    _cleanup_close_ int fd = socket(local->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* Ports rest in TIME_WAIT after a transfer; a second listener is refused all the same. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int)) < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *) &address, size) < 0 || listen(fd, 4) < 0)
        return -errno;
    return TAKE_FD(fd);
}

/* Where to begin to look: bought by the dozen, because a call costs more than listen(2). */
static int next_start(DataChannel *d, uint16_t *ret) {
    if (d->n_starts == 0) {
        if (getrandom(d->starts, sizeof(d->starts), 0) != sizeof(d->starts))
            return -EIO;
        d->n_starts = ELEMENTS(d->starts);
    }
    *ret = d->starts[--d->n_starts];
    return 0;
}

static int listen_anew(DataChannel *d, const struct sockaddr *local, uint16_t min, uint16_t max) {
    unsigned ports = (unsigned) (max - min) + 1;
    uint16_t start;

    int r = next_start(d, &start);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < ports; i++) {
        uint16_t port = (uint16_t) (min + (start + i) % ports);
        int fd = listen_on_port(local, port);
        if (fd >= 0) {
            d->listen_fd = fd;
            d->port = port;
            return 0;
        }
        if (fd != -EADDRINUSE)
            return fd;
    }
    return -EADDRINUSE;
}

bool data_keeps_port(const DataChannel *d) {
    return d->listen_fd >= 0 && !d->announced;
}

/* Five system calls less for a small file. But whoever waits there has come for a connection that is not announced yet, and must not get it. */
static bool may_use_again(DataChannel *d) {
    if (!data_keeps_port(d))
        return false;
    _cleanup_close_ int early = accept4(d->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    return early < 0 && errno == EAGAIN;
}

int data_listen(DataChannel *d, const struct sockaddr *local, uint16_t min, uint16_t max, uint16_t *ret_port) {
    int r = 0;

    if (!may_use_again(d)) {
        _cleanup_close_ _unused_ int known = data_keeps_port(d) ? TAKE_FD(d->listen_fd) : -EBADF; /* so that it is not chosen again */
        data_reset(d);
        r = listen_anew(d, local, min, max);
    }
    if (r < 0)
        return r;
    d->announced = true;
    d->uses++;
    *ret_port = d->port;
    return 0;
}

static int accept_from(DataChannel *d, const struct sockaddr *peer) {
    for (unsigned strangers = 0; strangers < STRANGERS_MAX; strangers++) {
        struct sockaddr_storage from;
        socklen_t size = sizeof(from);
        _cleanup_close_ int fd = accept4(d->listen_fd, (struct sockaddr *) &from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
            continue;
        if (fd < 0)
            return -errno;
        if (address_equal((struct sockaddr *) &from, peer))
            return TAKE_FD(fd);
        d->uses = DATA_PORT_USES; /* it was found */
    }
    return -EAGAIN;
}

static void begin(DataChannel *d, int fd) {
    d->fd = fd;
    d->sent = 0;
    d->looked_ms = monotonic_ms();
}

void data_adopt(DataChannel *d, int fd) {
    data_reset(d);
    begin(d, fd);
}

int data_accept(DataChannel *d, const struct sockaddr *peer, bool keep_port) {
    /* By the clock: strangers who connect again and again must not use up the client's time. */
    uint64_t deadline = monotonic_ms() + data_patience_ms(d);

    d->sent = 0;
    if (!d->announced)
        return -ENOTCONN;
    for (;;) {
        int fd = accept_from(d, peer);
        if (fd >= 0) {
            d->announced = false;
            if (!keep_port || d->uses >= DATA_PORT_USES)
                data_give_up_port(d);
            begin(d, fd);
            return 0;
        }
        if (fd != -EAGAIN)
            return fd;
        if (monotonic_ms() >= deadline)
            return -ETIMEDOUT;
        struct pollfd pfd = { .fd = d->listen_fd, .events = POLLIN };
        if (poll(&pfd, 1, DATA_TICK_MS) < 0 && errno != EINTR)
            return -errno;
        int r = d->tick(d->userdata);
        if (r < 0)
            return r;
    }
}

/* ---- the bytes ---- */

static int set_timer(unsigned ms) {
    struct timeval tv = { .tv_usec = (suseconds_t) ms * 1000 };
    struct itimerval timer = { .it_interval = tv, .it_value = tv };
    return setitimer(ITIMER_REAL, &timer, NULL) < 0 ? -errno : 0;
}

static int start_blocking(DataChannel *d) {
    if (fcntl(d->fd, F_SETFL, 0) < 0)
        return -errno;
    int r = set_timer(DATA_TICK_MS);
    if (r >= 0)
        d->blocking = true;
    return r;
}

/* ---- how fast ---- */

void data_set_rate(DataChannel *d, uint64_t rate) {
    d->pace.rate = rate;
    d->paced = false;
}

/* The bucket holds the rate. The kernel only spreads what is sent at once, so that no slice leaves as a burst; hence a little faster, or its queue would
 * grow: what lies there could not be taken back when access ends. */
static void pace_socket(DataChannel *d) {
    uint64_t rate = d->pace.rate + d->pace.rate / 8;

    pace_begin(&d->pace, monotonic_us());
    (void) setsockopt(d->fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)); /* best effort: the bucket does without */
    d->paced = true;
}

/* Waits until something may move; *n becomes how much of it. */
static int wait_turn(DataChannel *d, size_t *n) {
    while (d->pace.rate > 0) {
        uint64_t wait_us;

        if (!d->paced)
            pace_socket(d);
        size_t allowed = pace_allows(&d->pace, monotonic_us(), *n, &wait_us);
        if (allowed > 0) {
            *n = allowed;
            break;
        }
        uint64_t wait_ms = (wait_us + 999) / 1000;
        if (poll(NULL, 0, wait_ms < DATA_TICK_MS ? (int) wait_ms : DATA_TICK_MS) < 0 && errno != EINTR)
            return -errno;
        int r = d->tick(d->userdata);
        if (r < 0)
            return r;
    }
    return 0;
}

static void moved(DataChannel *d, ssize_t n) {
    d->sent += (uint64_t) n;
    pace_moved(&d->pace, (uint64_t) n);
}

/* After a call that moved `n` bytes or failed with errno: 0 to call again. */
static int after_call(DataChannel *d, ssize_t n, unsigned *stalled) {
    int r = 0;

    if (n > 0) {
        moved(d, n);
        *stalled = 0;
    } else if (n < 0 && errno != EAGAIN && errno != EINTR)
        return -errno;
    else if (n < 0 && d->blocking && ++*stalled >= d->stall_ms / DATA_TICK_MS)
        return -ETIMEDOUT;
    if (!d->blocking)
        r = start_blocking(d);
    return r < 0 ? r : d->tick(d->userdata);
}

static int send_all(DataChannel *d, const void *data, size_t size, int flags) {
    const char *p = data;
    unsigned stalled = 0;

    while (size > 0) {
        size_t now = size;
        int r = wait_turn(d, &now);
        if (r < 0)
            return r;
        ssize_t n = send(d->fd, p, now, MSG_NOSIGNAL | flags);
        if (n == (ssize_t) size) {
            moved(d, n);
            return 0;
        }
        if (n > 0) {
            p += n;
            size -= (size_t) n;
        }
        r = after_call(d, n, &stalled);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The bytes and the end of the connection travel in one segment. */
static int send_small_file(DataChannel *d, int file_fd, uint64_t offset, uint64_t end) {
    char data[DATA_SMALL_MAX];
    size_t size = (size_t) (end - offset);

    ssize_t n = read_at(file_fd, data, size, offset);
    if (n < 0)
        return (int) n;
    int r = send_all(d, data, (size_t) n, MSG_MORE);
    return r < 0 ? r : (size_t) n < size ? -ENODATA : 0;
}

int data_send_file(DataChannel *d, int file_fd, uint64_t offset, uint64_t end) {
    off_t at = (off_t) offset;
    unsigned stalled = 0;

    if (d->tls)
        return data_tls_send_file(d, file_fd, offset, end);
    if (end - offset <= DATA_SMALL_MAX)
        return send_small_file(d, file_fd, offset, end);

    while ((uint64_t) at < end) {
        size_t left = end - (uint64_t) at < SENDFILE_MAX ? (size_t) (end - (uint64_t) at) : SENDFILE_MAX;
        int r = wait_turn(d, &left);
        if (r < 0)
            return r;
        ssize_t n = sendfile(d->fd, file_fd, &at, left);
        if (n == 0)
            return -ENODATA;
        if (n == (ssize_t) left && (uint64_t) at == end) {
            moved(d, n);
            return 0;
        }
        r = after_call(d, n, &stalled);
        if (r < 0)
            return r;
    }
    return 0;
}

int data_send_plain(DataChannel *d, const void *data, size_t size) {
    return send_all(d, data, size, 0);
}

int data_send(DataChannel *d, const void *data, size_t size) {
    return d->tls ? data_tls_send(d, data, size) : data_send_plain(d, data, size);
}

int data_look(DataChannel *d) {
    uint64_t now = monotonic_ms();

    if (now - d->looked_ms < DATA_TICK_MS)
        return 0;
    d->looked_ms = now;
    return d->tick(d->userdata);
}

ssize_t data_receive_plain(DataChannel *d, void *data, size_t size, int flags) {
    unsigned stalled = 0;

    for (;;) {
        int r = wait_turn(d, &size);
        if (r < 0)
            return r;
        ssize_t n = recv(d->fd, data, size, d->blocking ? flags : 0);
        if (n == 0)
            return 0;
        if (n > 0) {
            moved(d, n);
            r = data_look(d);
            return r < 0 ? r : n;
        }
        r = after_call(d, n, &stalled);
        if (r < 0)
            return r;
    }
}

/* Full buffers when the client is fast (MSG_WAITALL), whatever there is when the timer rings. */
ssize_t data_receive(DataChannel *d, void *data, size_t size) {
    return d->tls ? data_tls_receive(d, data, size) : data_receive_plain(d, data, size, MSG_WAITALL);
}

void data_close(DataChannel *d, bool cut) {
    if (d->tls)
        data_tls_end(d, cut);
    if (d->blocking) {
        (void) set_timer(0);
        d->blocking = false;
    }
    d->paced = false;
    if (d->fd < 0)
        return;
    if (cut)
        (void) setsockopt(d->fd, SOL_SOCKET, SO_LINGER, &(struct linger) { .l_onoff = 1 }, sizeof(struct linger));
    cleanup_close_(&d->fd);
    d->fd = -EBADF;
}

void data_give_up_port(DataChannel *d) {
    cleanup_close_(&d->listen_fd);
    d->listen_fd = -EBADF;
    d->announced = false;
    d->uses = 0;
}

void data_reset(DataChannel *d) {
    data_close(d, true);
    data_give_up_port(d);
}
