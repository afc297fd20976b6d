/* Sessions that outlive the listener: systemd keeps the listener's end of each wire, named after what the next listener must know.
 *
 * "session/PID/LOGIN/EXPIRA/QUOTA/ACCOUNT/PEER": facts that the listener knows, not the session's word. `systemctl stop` and the session's own end empty
 * the store. sd_notify(3), FileDescriptorStoreMax= in systemd.service(5). */
#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "ftpd/address.h"
#include "ftpd/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#define NAME_SIZE 256 /* systemd's limit, with NUL */

void store_over(Listener *l, Connection *c) {
    WireMessage go = { .header = { .type = WIRE_GO } };

    c->barrier_source = sd_event_source_disable_unref(c->barrier_source);
    cleanup_close_(&c->barrier_fd);
    c->barrier_fd = -EBADF;
    c->state = CONNECTION_SESSION;
    listener_release(l, c);
    if (wire_send_now(c->wire_fd, &go) < 0)
        log_debug("A session of %s ended before it began", c->account);
}

/* systemd closed its end of the barrier: everything sent before was handled. */
static int on_stored(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    Connection *c = userdata;
    store_over(c->listener, c);
    return 0;
}

/* ':' separates names in $LISTEN_FDNAMES. */
static int make_name(const Connection *c, int64_t expira, char ret[static NAME_SIZE]) {
    int n = snprintf(ret, NAME_SIZE, STORE_PREFIX "%d/%" PRId64 "/%" PRId64 "/%" PRIu64 "/%s/%s", (int) c->pid, c->login_utc, expira, c->quota, c->account,
                     c->peer_text);

    if (n < 0 || n >= NAME_SIZE)
        return -ENAMETOOLONG;
    for (char *p = ret; *p; p++) {
        if (*p == ':')
            *p = '_';
        if ((unsigned char) *p < ' ' || (unsigned char) *p >= 0x7f)
            return -EINVAL;
    }
    return 0;
}

static int keep(const Connection *c, const char *name) {
    char state[NAME_SIZE + 32];

    snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", name);
    return sd_pid_notify_with_fds(0, false, state, &c->wire_fd, 1);
}

int store_session(Listener *l, Connection *c) {
    char name[NAME_SIZE];
    int ends[2];

    int r = make_name(c, c->expira, name);
    if (r < 0) {
        log_warning("The session of %s cannot be named for the fd store; it would not outlive a restart", c->account);
        store_over(l, c);
        return 0;
    }
    r = keep(c, name);
    if (r <= 0) { /* no systemd: nothing to outlive */
        store_over(l, c);
        return 0;
    }
    /* sd_notify_barrier() would block the loop; this is the same, waited for by the loop. */
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    c->barrier_fd = ends[0];
    r = sd_pid_notify_with_fds(0, false, "BARRIER=1", &ends[1], 1);
    close(ends[1]);
    if (r >= 0)
        r = sd_event_add_io(l->event, &c->barrier_source, c->barrier_fd, EPOLLHUP, on_stored, c);
    if (r < 0)
        return r;
    c->state = CONNECTION_STORING;
    listener_hold(l, c, monotonic_ms() + STORE_TIMEOUT_MS);
    return 0;
}

/* systemd keeps no socket twice: under its old name it has to go first. A listener that is killed between these two lines takes the session along. */
void store_rename(const Connection *c, int64_t old_expira) {
    char name[NAME_SIZE], state[NAME_SIZE + 32];

    if (make_name(c, old_expira, name) < 0)
        return;
    snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
    int r = sd_pid_notify_with_fds(0, false, state, NULL, 0);
    if (r > 0)
        r = make_name(c, c->expira, name);
    if (r >= 0)
        r = keep(c, name);
    if (r < 0)
        log_errno(r, "systemd may not keep the session of %s any more; it would not outlive a restart", c->account);
}

/* The next "…/" of a name as a number. */
static int take_number(const char **p, uint64_t max, uint64_t *ret) {
    char digits[24];
    size_t n = strcspn(*p, "/");

    if (n >= sizeof(digits) || (*p)[n] != '/')
        return -EINVAL;
    memcpy(digits, *p, n);
    digits[n] = '\0';
    int r = parse_u64(digits, max, ret);
    if (r < 0)
        return r;
    *p += n + 1;
    return 0;
}

static int parse_name(const char *name, Connection *c) {
    uint64_t pid, login, expira;

    if (!has_prefix(name, STORE_PREFIX))
        return -EINVAL;
    name += strlen(STORE_PREFIX);
    int r = take_number(&name, INT32_MAX, &pid);
    if (r >= 0)
        r = take_number(&name, INT64_MAX, &login);
    if (r >= 0)
        r = take_number(&name, INT64_MAX, &expira);
    if (r >= 0)
        r = take_number(&name, UINT64_MAX, &c->quota);
    if (r < 0)
        return r;
    c->pid = (pid_t) pid;
    c->login_utc = (int64_t) login;
    c->expira = (int64_t) expira;
    c->claim.unknown = c->quota > 0; /* until it has answered GO */
    const char *slash = strrchr(name, '/');
    if (!slash || (size_t) (slash - name) >= sizeof(c->account) || strlen(slash + 1) >= sizeof(c->peer_text))
        return -EINVAL;
    snprintf(c->account, sizeof(c->account), "%.*s", (int) (slash - name), name);
    strcpy(c->peer_text, slash + 1);
    for (char *p = c->peer_text; *p; p++)
        if (*p == '_')
            *p = ':';
    c->key = address_key_parse(c->peer_text);
    address_of_key(&c->key, &c->peer);
    return 0;
}

int store_restore(Listener *l, const char *name, int fd) {
    WireMessage go = { .header = { .type = WIRE_GO } };
    Connection *c = connections_add(&l->connections);

    if (!c) {
        close(fd);
        return -E2BIG;
    }
    c->listener = l;
    c->wire_fd = fd;
    int r = parse_name(name, c);
    if (r >= 0)
        r = listener_watch_wire(l, c, watch_on_wire);
    if (r < 0) {
        connections_remove(&l->connections, c);
        return r;
    }
    c->state = CONNECTION_SESSION;
    l->connections.sessions++;
    (void) !wire_send_now(fd, &go); /* the last listener may have ended before it could */
    return 0;
}
