/* Who may put how much into a drop folder, and who counts it when. It opens nothing and does no arithmetic: quota.c does that.
 *
 * Counting takes time, so there is one count at a time, they take a twentieth of the time at most, and it is done only where nobody knows (the first to ask), where the
 * knowledge is old, and before anybody is refused. A question that waits is looked at again whenever something has changed. */
#include "ftpd/lease.h"

#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "ftpd/listener.h"

#include <errno.h>

#define FRESH_MS 2000 /* others than sessions may change the folder, too */
#define COUNT_SHARE 20
#define COUNT_PAUSE_MAX_MS 10000
#define COUNT_PATIENCE_MS 60000
#define REPORT_MS 500 /* sessions give back what they do not use at each of their ticks, DATA_TICK_MS */

struct Drop {
    TAILQ_ENTRY(Drop) entry;
    char account[WIRE_USER_SIZE];
    Ledger ledger;
    Connection *counter; /* who counts now */
    uint32_t serial;     /* of its order */
    uint64_t began_ms, fresh_until_ms, again_ms;
};

/* All accounts of stand-alone mode have one folder. */
static const char *owner(const Listener *l, const Connection *c) {
    return l->config->service ? c->account : "";
}

static Drop *find(Listener *l, const Connection *c) {
    Drop *d;

    TAILQ_FOREACH(d, &l->drops, entry)
        if (streq(d->account, owner(l, c)))
            return d;
    return NULL;
}

static Drop *find_or_make(Listener *l, const Connection *c) {
    Drop *d = find(l, c);

    if (d)
        return d;
    d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    strcpy(d->account, owner(l, c));
    TAILQ_INSERT_TAIL(&l->drops, d, entry);
    return d;
}

static void drop_free(Listener *l, Drop *d) {
    TAILQ_REMOVE(&l->drops, d, entry);
    free(d);
}

/* The next session from row *i on that may fill this drop; NULL: no more. */
static Connection *next_session(const Listener *l, const Drop *d, size_t *i) {
    while (*i < l->connections.top) {
        Connection *c = &l->connections.rows[(*i)++];
        if (connection_is_session(c) && c->quota > 0 && streq(owner(l, c), d->account))
            return c;
    }
    return NULL;
}

static Room sum_held(const Listener *l, const Drop *d) {
    Room sum = { 0 };
    const Connection *c;

    for (size_t i = 0; (c = next_session(l, d, &i));) {
        sum.bytes += c->claim.held.bytes; /* all of them together no more than a quota */
        sum.names += c->claim.held.names;
    }
    return sum;
}

static bool anybody(const Listener *l, const Drop *d, bool (*is)(const Claim *)) {
    const Connection *c;

    for (size_t i = 0; (c = next_session(l, d, &i));)
        if (is(&c->claim))
            return true;
    return false;
}

static bool is_unknown(const Claim *c) {
    return c->unknown;
}

static bool is_renaming(const Claim *c) {
    return c->renaming;
}

static bool holds(const Claim *c) {
    return c->held.bytes > 0 || c->held.names > 0;
}

static void answer(Connection *c, Room granted) {
    WireMessage m = { .grant = {
        .header = { .type = WIRE_GRANT, .serial = c->claim.serial },
        .bytes = granted.bytes,
        .names = granted.names,
    } };

    c->claim.asks = false;
    if (wire_send_now(c->wire_fd, &m) < 0)
        log_debug("A session of %s does not hear what it may put into its drop folder", c->account);
}

static void grant(Drop *d, Connection *c, Room granted) {
    c->claim.held.bytes += granted.bytes;
    c->claim.held.names += granted.names;
    ledger_grant(&d->ledger, granted);
    answer(c, granted);
}

/* By `c`, which asks; everybody's questions are about what it finds. */
static void count(Listener *l, Drop *d, Connection *c, uint64_t now) {
    WireMessage m = { .header = { .type = WIRE_COUNT } };
    Connection *other;

    if (d->counter && now - d->began_ms < COUNT_PATIENCE_MS)
        return;
    if (anybody(l, d, is_renaming))
        return;
    if (now < d->again_ms) {
        listener_hold(l, c, d->again_ms);
        return;
    }
    ledger_count_begin(&d->ledger, sum_held(l, d));
    d->counter = c;
    d->began_ms = now;
    m.header.serial = ++d->serial;
    for (size_t i = 0; (other = next_session(l, d, &i));)
        other->claim.counted = true;
    if (wire_send_now(c->wire_fd, &m) < 0)
        log_debug("A session of %s does not hear that it shall count its drop folder", c->account);
}

/* Nothing new, where everything is full. */
static bool fits(Room wanted, Room left) {
    return wanted.bytes <= left.bytes && wanted.names <= left.names && (wanted.names == 0 || left.bytes > 0);
}

static void consider(Listener *l, Drop *d, Connection *c) {
    uint64_t now = monotonic_ms();
    Room wanted = c->claim.wanted, left = ledger_left(&d->ledger, c->quota);
    bool fresh = now < d->fresh_until_ms, enough = fits(wanted, left);

    if (anybody(l, d, is_unknown))
        return;
    if (c->claim.renames) {
        if (d->counter)
            return;
        c->claim.renaming = true;
        grant(d, c, (Room) { 0 });
        return;
    }
    bool is_known = d->ledger.known && (c->claim.counted || fresh || anybody(l, d, holds));
    if (is_known && enough)
        grant(d, c, (Room) { quota_portion(wanted.bytes, left.bytes), wanted.names });
    else if (now < c->claim.patient_until_ms)
        listener_hold(l, c, c->claim.patient_until_ms);
    else if (!is_known || d->counter || (d->ledger.loose && !c->claim.counted))
        count(l, d, c, now);
    else if (d->ledger.loose && c->claim.patient_until_ms == 0) {
        c->claim.patient_until_ms = now + REPORT_MS;
        c->claim.counted = false;
        listener_hold(l, c, c->claim.patient_until_ms);
    } else
        grant(d, c, (Room) { wanted.bytes < left.bytes ? wanted.bytes : left.bytes, 0 });
}

static void review(Listener *l, Drop *d) {
    Connection *c;

    for (size_t i = 0; (c = next_session(l, d, &i));)
        if (c->claim.asks)
            consider(l, d, c);
}

/* What it says of its last grant: the rest of that was used. */
static Room take_report(Drop *d, Connection *c, uint64_t bytes_left, uint64_t names_left, bool freed) {
    Claim *claim = &c->claim;
    Room left = {
        bytes_left < claim->held.bytes ? bytes_left : claim->held.bytes,
        names_left < claim->held.names ? names_left : claim->held.names,
    };

    if (d->counter == c) /* it does something else */
        d->counter = NULL;
    d->ledger.loose |= freed;
    claim->unknown = claim->renaming = claim->asks = false;
    claim->held = left;
    return left;
}

int lease_on_room(Listener *l, Connection *c, const WireRoom *m) {
    Drop *d = c->quota > 0 ? find_or_make(l, c) : NULL;

    if (c->quota == 0)
        return -EBADMSG;
    c->claim.serial = m->header.serial;
    if (!d) {
        log_errno(-ENOMEM, "Cannot keep the books of the drop folder of %s", c->account);
        answer(c, (Room) { 0 });
        return 0;
    }
    take_report(d, c, m->bytes_left, m->names_left, m->freed);
    c->claim.asks = true;
    c->claim.counted = false;
    c->claim.patient_until_ms = 0;
    c->claim.renames = m->renames;
    c->claim.wanted = (Room) { m->bytes, m->names };
    review(l, d);
    return 0;
}

int lease_on_settle(Listener *l, Connection *c, const WireSettle *m) {
    Drop *d = c->quota > 0 ? find(l, c) : NULL;

    if (c->quota == 0)
        return -EBADMSG;
    if (!d) {
        c->claim = (Claim) { 0 };
        return 0;
    }
    ledger_return(&d->ledger, take_report(d, c, m->bytes_left, m->names_left, m->freed));
    c->claim.held = (Room) { 0 };
    review(l, d);
    return 0;
}

int lease_on_counted(Listener *l, Connection *c, const WireCounted *m) {
    Drop *d = c->quota > 0 ? find(l, c) : NULL;

    if (c->quota == 0)
        return -EBADMSG;
    if (!d || d->counter != c || m->header.serial != d->serial) /* an earlier listener's order, or it took too long */
        return 0;
    uint64_t now = monotonic_ms(), pause = (now - d->began_ms) * COUNT_SHARE;
    if (pause > COUNT_PAUSE_MAX_MS)
        pause = COUNT_PAUSE_MAX_MS;
    d->counter = NULL;
    d->again_ms = now + pause;
    d->fresh_until_ms = now + (pause > FRESH_MS ? pause : FRESH_MS);
    ledger_count_end(&d->ledger, (Room) { m->bytes, m->names });
    review(l, d);
    return 0;
}

void lease_resume(Connection *c) {
    Drop *d = c->claim.asks ? find(c->listener, c) : NULL;
    if (d)
        consider(c->listener, d, c);
}

void lease_on_gone(Listener *l, Connection *c) {
    Drop *d = c->quota > 0 ? find(l, c) : NULL;
    size_t i = 0;

    if (!d)
        return;
    take_report(d, c, 0, 0, true); /* used or not: the next count tells */
    c->quota = 0;
    if (next_session(l, d, &i))
        review(l, d);
    else
        drop_free(l, d);
}

void leases_done(Listener *l) {
    while (!TAILQ_EMPTY(&l->drops))
        drop_free(l, TAILQ_FIRST(&l->drops));
}
