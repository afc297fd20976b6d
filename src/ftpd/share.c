/* What an account may use, shared equally by those of its sessions that transfer something.
 *
 * The others are told first, so that a newcomer never adds to what they still use. Sessions hold their rates themselves (pace.h): one that is taken
 * over can ignore this, as it can ignore everything but its jail. */
#include "ftpd/listener.h"

#include "basic/log.h"
#include "basic/strings.h"

static void tell(const Connection *c, uint64_t rate) {
    WireMessage m = { .rate = { .header = { .type = WIRE_RATE }, .rate = rate } };

    if (c->busy && wire_send_now(c->wire_fd, &m) < 0)
        log_debug("A session of %s does not hear its rate", c->account);
}

static bool shares_with(const Connection *a, const Connection *b) {
    return a != b && a->state == CONNECTION_SESSION && a->busy && streq(a->account, b->account);
}

void share_busy(Listener *l, Connection *c, bool busy) {
    const Connections *t = &l->connections;
    bool same = c->busy == busy;
    size_t n = busy;

    c->busy = busy;
    for (size_t i = 0; i < t->top; i++)
        n += shares_with(&t->rows[i], c);
    uint64_t rate = pace_share(l->config->account_rate, n);
    for (size_t i = 0; !same && i < t->top; i++)
        if (shares_with(&t->rows[i], c))
            tell(&t->rows[i], rate);
    tell(c, rate);
}
