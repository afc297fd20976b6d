/* Asks sessions on behalf of the bus, waits for their answers, kills those that must end and don't.
 *
 * A session leaves a query in one of three ways: it answers, it is gone, or the query's time is over. */
#include "ftpd/query.h"

#include "basic/log.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "ftpd/listener.h"

#include <errno.h>

struct Query {
    TAILQ_ENTRY(Query) entry;
    uint32_t serial;
    bool end; /* EndSessions, else ListSessions */
    bool killed;
    sd_bus_message *call, *reply; /* reply: the rows so far */
    uint32_t ended;
    size_t n_waiting;
    uint64_t patience_ms, over_ms;
    bool waits[CONNECTIONS_MAX]; /* for the connection of this index */
};

void queries_init(Queries *q) {
    TAILQ_INIT(&q->list);
}

static void query_free(Queries *q, Query *query) {
    TAILQ_REMOVE(&q->list, query, entry);
    q->n--;
    sd_bus_message_unref(query->call);
    sd_bus_message_unref(query->reply);
    free(query);
}

void queries_done(Queries *q) {
    while (!TAILQ_EMPTY(&q->list))
        query_free(q, TAILQ_FIRST(&q->list));
}

static int query_new(Listener *l, sd_bus_message *call, bool end, Query **ret) {
    if (l->queries.n >= (end ? QUERIES_MAX : QUERIES_LIST_MAX))
        return -EBUSY;
    Query *q = calloc(1, sizeof(*q));
    if (!q)
        return -ENOMEM;
    uint64_t now = monotonic_ms();
    q->call = sd_bus_message_ref(call);
    q->end = end;
    q->serial = ++l->queries.serial;
    q->patience_ms = now + QUERY_PATIENCE_MS;
    q->over_ms = now + QUERY_END_MS;
    TAILQ_INSERT_TAIL(&l->queries.list, q, entry);
    l->queries.n++;
    *ret = q;
    return 0;
}

static void answer_if_complete(Listener *l, Query *q) {
    int r;

    if (q->n_waiting > 0)
        return;
    if (q->end)
        r = sd_bus_reply_method_return(q->call, "u", q->ended);
    else {
        r = sd_bus_message_close_container(q->reply);
        if (r >= 0)
            r = sd_bus_send(NULL, q->reply, NULL);
    }
    if (r < 0)
        log_errno(r, "Cannot answer %s", q->end ? "EndSessions" : "ListSessions");
    query_free(&l->queries, q);
}

static void settle(Listener *l, Query *q, const Connection *c) {
    size_t i = connection_index(&l->connections, c);
    if (!q->waits[i])
        return;
    q->waits[i] = false;
    q->n_waiting--;
    answer_if_complete(l, q);
}

static Query *find(Listener *l, uint32_t serial) {
    Query *q;
    TAILQ_FOREACH(q, &l->queries.list, entry)
        if (q->serial == serial)
            return q;
    return NULL;
}

/* A session that can't even be asked is killed or listed as it is known. */
static void ask(Listener *l, Query *q, Connection *c, WireMessage *m) {
    m->header.serial = q->serial;
    q->waits[connection_index(&l->connections, c)] = true;
    q->n_waiting++;
    if (wire_send_now(c->wire_fd, m) < 0 && q->end)
        jail_kill(c->pid, c->wire_fd);
}

/* ---- EndSessions ---- */

int query_end(Listener *l, sd_bus_message *call, const char *account, uint32_t pid, const char *id) {
    WireMessage m = { .end = { .header = { .type = WIRE_END } } };
    Query *q;

    if (strlen(id) >= sizeof(m.end.id))
        return -EINVAL;
    strcpy(m.end.id, id);
    int r = query_new(l, call, true, &q);
    if (r < 0)
        return r;
    for (size_t i = 0; i < l->connections.top; i++) {
        Connection *c = &l->connections.rows[i];
        if (!connection_is_session(c) || (account ? !streq(c->account, account) : c->pid != (pid_t) pid))
            continue;
        if (c->state == CONNECTION_ADMITTED || c->state == CONNECTION_BEARING) { /* let in, not yet begun: it has seen nothing */
            listener_drop(l, c);
            q->ended++;
        } else
            ask(l, q, c, &m);
    }
    answer_if_complete(l, q);
    return 0;
}

/* ---- ListSessions ---- */

/* D-Bus wants UTF-8; names on disk may be anything. */
static void make_utf8(char *text) {
    for (char *p = text; *p;) {
        uint32_t point;
        int n = utf8_decode(p, strlen(p), &point);
        if (n > 0)
            p += n;
        else
            *p++ = '?';
    }
}

static int append_row(Query *q, const Connection *c, const char *folder, const char *file, uint64_t sent, uint64_t size) {
    return sd_bus_message_append(q->reply, "(ussssttt)", (uint32_t) c->pid, c->account, c->peer_text, folder, file, sent, size,
                                 (uint64_t) c->login_utc);
}

int query_list(Listener *l, sd_bus_message *call) {
    WireMessage m = { .header = { .type = WIRE_ASK } };
    Query *q;

    int r = query_new(l, call, false, &q);
    if (r < 0)
        return r;
    r = sd_bus_message_new_method_return(call, &q->reply);
    if (r >= 0)
        r = sd_bus_message_open_container(q->reply, 'a', "(ussssttt)");
    if (r < 0) {
        query_free(&l->queries, q);
        return r;
    }
    for (size_t i = 0; i < l->connections.top; i++) {
        Connection *c = &l->connections.rows[i];
        if (c->state == CONNECTION_SESSION)
            ask(l, q, c, &m);
    }
    answer_if_complete(l, q);
    return 0;
}

void query_on_where(Listener *l, Connection *c, const WireWhere *where) {
    char folder[VIRTUAL_PATH_MAX], file[VIRTUAL_PATH_MAX];
    Query *q = find(l, where->header.serial);

    if (!q || q->end || !q->waits[connection_index(&l->connections, c)])
        return;
    strcpy(folder, where->folder);
    strcpy(file, where->file);
    make_utf8(folder);
    make_utf8(file);
    int r = append_row(q, c, folder, file, where->sent, where->size);
    if (r < 0)
        log_errno(r, "Cannot list a session of %s", c->account);
    settle(l, q, c);
}

/* ---- leaving ---- */

void query_on_stays(Listener *l, Connection *c, uint32_t serial) {
    Query *q = find(l, serial);
    if (q && q->end)
        settle(l, q, c);
}

void query_on_gone(Listener *l, Connection *c) {
    Query *next;

    for (Query *q = TAILQ_FIRST(&l->queries.list); q; q = next) {
        next = TAILQ_NEXT(q, entry);
        if (!q->waits[connection_index(&l->connections, c)])
            continue;
        if (q->end)
            q->ended++;
        settle(l, q, c);
    }
}

static void out_of_patience(Listener *l, Query *q) {
    for (size_t i = 0; i < l->connections.top; i++) {
        Connection *c = &l->connections.rows[i];
        if (!q->waits[i])
            continue;
        if (q->end)
            jail_kill(c->pid, c->wire_fd);
        else
            (void) !append_row(q, c, "", "", 0, 0);
    }
    if (!q->end) {
        q->n_waiting = 0;
        answer_if_complete(l, q);
    } else
        q->killed = true;
}

uint64_t queries_deadline(const Queries *q) {
    uint64_t next = UINT64_MAX;
    const Query *query;

    TAILQ_FOREACH(query, &q->list, entry) {
        uint64_t due = query->killed ? query->over_ms : query->patience_ms;
        next = due < next ? due : next;
    }
    return next;
}

void queries_turn(Listener *l, uint64_t now_ms) {
    Query *next;

    for (Query *q = TAILQ_FIRST(&l->queries.list); q; q = next) {
        next = TAILQ_NEXT(q, entry);
        if (now_ms >= q->over_ms) {
            log_error("%zu sessions were killed and have not ended yet", q->n_waiting);
            q->ended += (uint32_t) q->n_waiting; /* SIGKILL is pending: not one more instruction of theirs runs */
            q->n_waiting = 0;
            answer_if_complete(l, q);
        } else if (now_ms >= q->patience_ms && !q->killed)
            out_of_patience(l, q);
    }
}
