/* Where a session may write, for replies that say so, and the session's half of sharing the drop's room. The walls themselves are the landlock domain
 * (jail.c) and the listener's books (lease.c). */
#include "ftpd/drop.h"

#include "basic/strings.h"
#include "basic/usage.h"
#include "ftpd/jail.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define DROP_PATIENCE_MS 30000

static bool is_whole_home(const Session *s) {
    return streq(s->start->drop, "/");
}

bool drop_holds(const Session *s, const char *path) {
    if (is_whole_home(s))
        return path[1] != '\0';
    return path_is_within(path, s->start->drop) && path[1 + strlen(s->start->drop)] == '/';
}

ListingRights drop_rights(const Session *s, const char *path) {
    if (s->start->drop[0] == '\0')
        return LISTING_READ;
    if (drop_holds(s, path))
        return LISTING_CHANGE;
    return streq(path[1] ? path + 1 : path, s->start->drop) ? LISTING_FILL : LISTING_READ;
}

int drop_resolve(Session *s, const char *argument, char ret[static VIRTUAL_PATH_MAX]) {
    int r = session_resolve(s, argument, ret);
    if (r <= 0 || drop_holds(s, ret))
        return r;
    r = is_whole_home(s) ? reply(s->conversation.fd, 550, "La carpeta de inicio no se cambia.")
                         : reply(s->conversation.fd, 550, "Solo se puede escribir dentro de /%s.", s->start->drop);
    return r < 0 ? r : 0;
}

/* ---- room ---- */

static int send_settle(Session *s) {
    Lease *l = &s->lease;
    WireMessage m = { .settle = {
        .header = { .type = WIRE_SETTLE },
        .bytes_left = l->left.bytes,
        .names_left = l->left.names,
        .freed = l->freed,
    } };

    l->left = (Room) { 0 };
    l->open = l->freed = false;
    return wire_send(CHILD_WIRE_FD, &m);
}

static int send_ask(Session *s) {
    Lease *l = &s->lease;
    WireMessage m = { .room = {
        .header = { .type = WIRE_ROOM, .serial = ++l->serial },
        .bytes = l->wanted.bytes,
        .names = l->wanted.names,
        .bytes_left = l->left.bytes,
        .names_left = l->left.names,
        .renames = l->renames,
        .freed = l->freed,
    } };

    l->freed = false;
    return wire_send(CHILD_WIRE_FD, &m);
}

/* Returns when there is an answer, whatever it is. */
static int wait_for_grant(Session *s) {
    for (unsigned waited = 0; s->lease.asks; waited += DATA_TICK_MS) {
        struct pollfd pfd = { .fd = CHILD_WIRE_FD, .events = POLLIN };
        if (waited >= DROP_PATIENCE_MS)
            return -EAGAIN;
        if (poll(&pfd, 1, DATA_TICK_MS) < 0 && errno != EINTR)
            return -errno;
        int r = session_watch(s);
        if (r == -ECANCELED && s->file[0] == '\0') /* ABOR is about transfers */
            continue;
        if (r < 0)
            return r;
    }
    return 0;
}

static int ask(Session *s, Room wanted, bool renames) {
    Lease *l = &s->lease;

    l->wanted = wanted;
    l->renames = renames;
    l->asks = l->open = true;
    int r = send_ask(s);
    if (r >= 0)
        r = wait_for_grant(s);
    l->asks = false;
    return r;
}

int drop_take(Session *s, size_t size, size_t *ret) {
    Lease *l = &s->lease;

    if (s->start->quota == 0) {
        *ret = size;
        return 0;
    }
    if (l->left.bytes < size) {
        int r = ask(s, (Room) { .bytes = size - l->left.bytes }, false);
        if (r < 0)
            return r;
    }
    *ret = size < l->left.bytes ? size : (size_t) l->left.bytes;
    l->left.bytes -= *ret;
    return 0;
}

int drop_take_name(Session *s) {
    if (s->start->quota == 0)
        return 0;
    int r = s->lease.left.names > 0 ? 0 : ask(s, (Room) { .names = 1 }, false);
    return r < 0 ? r : s->lease.left.names > 0 ? 0 : -EDQUOT;
}

void drop_made(Session *s) {
    if (s->lease.left.names > 0)
        s->lease.left.names--;
}

int drop_has_room(Session *s, uint64_t size) {
    if (s->start->quota == 0)
        return 1;
    int r = ask(s, (Room) { .bytes = size }, false);
    return r < 0 ? r : s->lease.left.bytes >= size;
}

int drop_begin_rename(Session *s) {
    return s->start->quota == 0 ? 0 : ask(s, (Room) { 0 }, true);
}

void drop_freed(Session *s) {
    s->lease.freed = s->start->quota > 0;
}

void drop_settle(Session *s) {
    if ((s->lease.open || s->lease.freed) && send_settle(s) < 0)
        s->end = SESSION_STOPPED;
}

void drop_on_grant(Session *s, const WireGrant *m) {
    Lease *l = &s->lease;

    if (!l->asks || m->header.serial != l->serial) /* an earlier listener's */
        return;
    l->asks = false;
    l->left.bytes += m->bytes;
    l->left.names += m->names;
}

/* What can't be counted is full. */
int drop_on_count(Session *s, uint32_t serial) {
    WireMessage m = { .counted = { .header = { .type = WIRE_COUNTED, .serial = serial } } };
    char path[WIRE_ID_SIZE + 1];

    path[0] = '/';
    strcpy(path + 1, is_whole_home(s) ? "" : s->start->drop);
    if (usage_of(CHILD_HOME_FD, path, USAGE_NAMES_MAX, &m.counted.bytes, &m.counted.names) < 0)
        m.counted.bytes = m.counted.names = UINT64_MAX;
    return wire_send(CHILD_WIRE_FD, &m);
}

int drop_tell_again(Session *s) {
    if (s->start->quota == 0)
        return 0;
    if (!s->lease.asks)
        return send_settle(s);
    s->lease.left = (Room) { 0 };
    return send_ask(s);
}
