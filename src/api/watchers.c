/* Events of a request, once as a list or live as text/event-stream (WHATWG HTML, "Server-sent events").
 * The events themselves are rows of the store; nothing is kept here that a reconnect with Last-Event-ID could not bring back. */
#include "api/watchers.h"

#include "api/metrics.h"
#include "api/reply.h"
#include "api/resources.h"
#include "api/transfers.h"
#include "api/view.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/messages.h"
#include "model/texts.h"

#include <errno.h>
#include <stdio.h>

#define TICK_MS 1000
#define KEEP_ALIVE_TICKS 15
#define STREAM_PENDING_MAX (1024 * 1024) /* a client that does not read is let go */

typedef struct Watcher {
    h2o_generator_t super;
    Manager *m;
    h2o_req_t *req;
    uint64_t life, last_n;
    uint64_t user; /* 0: came without a token */
    Buffer pending, inflight;
    bool sending, ended;
    unsigned quiet_ticks;
    uint64_t sent_bytes; /* of the last progreso */
    struct Watcher *next;
} Watcher;

typedef struct Waiter {
    Manager *m;
    uint64_t life;
    WatchersFinal final;
    void *userdata;
    bool fired;
    struct Waiter *next;
} Waiter;

struct Watchers {
    Watcher *first;
    Waiter *waiters;
    unsigned count;
    bool ticking;
};

int watchers_new(Watchers **ret) {
    Watchers *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    *ret = w;
    return 0;
}

Watchers *watchers_free(Watchers *w) {
    free(w);
    return NULL;
}

/* A request's events on their way to the wire. */
typedef struct EventList {
    JsonWriter w;
    Request request;
} EventList;

static void write_event(JsonWriter *w, const Event *e, const Request *r) {
    char message[RUTA_MAX + 512];
    Request then = *r; /* borrowed strings: not to be freed */

    then.state = e->state;
    then.message = NULL; /* today's, not that event's */
    request_message(&then, message, sizeof(message));
    json_object_open(w, NULL);
    json_integer(w, "n", (int64_t) e->n);
    json_time(w, "momento", e->at);
    json_string(w, "estado", state_name(e->state));
    json_string(w, "actor", e->actor);
    json_string(w, "mensaje", e->message ? e->message : message);
    json_string(w, "request_id", e->request_id);
    json_object_close(w);
}

/* ---- the stream ---- */

static void watcher_unlink(Watcher *watcher) {
    Watchers *all = watcher->m->watchers;

    for (Watcher **at = &all->first; *at; at = &(*at)->next)
        if (*at == watcher) {
            *at = watcher->next;
            all->count--;
            return;
        }
}

static void watcher_dispose(void *p) {
    Watcher *watcher = p;

    watcher_unlink(watcher);
    buffer_done(&watcher->pending);
    buffer_done(&watcher->inflight);
}

static void watcher_flush(Watcher *watcher) {
    if (watcher->sending || !watcher->req || (watcher->pending.size == 0 && !watcher->ended))
        return;
    h2o_req_t *req = watcher->req;
    Buffer empty = { .max = STREAM_PENDING_MAX };
    buffer_done(&watcher->inflight);
    watcher->inflight = watcher->pending;
    watcher->pending = empty;
    watcher->sending = true;
    h2o_iovec_t data = h2o_iovec_init(watcher->inflight.data, watcher->inflight.size);
    if (watcher->inflight.error || watcher->ended) {
        watcher->req = NULL;
        h2o_send(req, &data, data.len > 0, watcher->inflight.error ? H2O_SEND_STATE_ERROR : H2O_SEND_STATE_FINAL);
    } else
        h2o_send(req, &data, 1, H2O_SEND_STATE_IN_PROGRESS);
}

static void on_proceed(h2o_generator_t *self, h2o_req_t *req) {
    Watcher *watcher = (Watcher *) self;

    watcher->sending = false;
    watcher_flush(watcher);
}

static void on_stop(h2o_generator_t *self, h2o_req_t *req) {
    Watcher *watcher = (Watcher *) self;

    watcher->req = NULL;
    watcher_unlink(watcher);
}

typedef struct Streaming {
    Watcher *watcher;
    Request request;
} Streaming;

static int stream_event(const Event *e, void *userdata) {
    Streaming *streaming = userdata;
    Watcher *watcher = streaming->watcher;
    JsonWriter w = JSON_WRITER(&watcher->pending);

    buffer_printf(&watcher->pending, "event: estado\nid: %llu\ndata: ", (unsigned long long) e->n);
    write_event(&w, e, &streaming->request);
    buffer_puts(&watcher->pending, "\n\n");
    watcher->last_n = e->n;
    watcher->ended = watcher->ended || state_is_final(e->state);
    return 0;
}

static void watcher_update(Watcher *watcher) {
    Streaming streaming = { .watcher = watcher };

    int r = store_get_life(watcher->m->store, watcher->life, &streaming.request);
    if (r >= 0)
        r = store_list_events(watcher->m->store, watcher->life, watcher->last_n, stream_event, &streaming);
    request_done(&streaming.request);
    if (r < 0)
        watcher->ended = true; /* the client reconnects with Last-Event-ID */
    else if (state_is_final(streaming.request.state))
        watcher->ended = true; /* also for who has seen the final event already */
    watcher->quiet_ticks = 0;
    watcher_flush(watcher);
}

void watchers_end(Manager *m, uint64_t user) {
    for (Watcher *watcher = m->watchers->first, *next; watcher; watcher = next) {
        next = watcher->next;
        if (user != 0 && watcher->user != user)
            continue;
        watcher->ended = true;
        watcher_flush(watcher);
    }
}

static void stream_progress(Manager *m, Watcher *watcher) {
    const Transfer *x = transfers_find(m->transfers, watcher->life);

    if (!x || !x->has_progress || x->progress.bytes == watcher->sent_bytes)
        return;
    watcher->sent_bytes = x->progress.bytes;
    JsonWriter w = JSON_WRITER(&watcher->pending);
    buffer_puts(&watcher->pending, "event: progreso\ndata: ");
    view_progress(&w, NULL, &x->progress);
    buffer_puts(&watcher->pending, "\n\n");
    watcher->quiet_ticks = 0;
    watcher_flush(watcher);
}

static void tick(Manager *m, void *userdata);

static void tick_again(Manager *m) {
    Watchers *all = m->watchers;

    if (!all->ticking && all->first)
        all->ticking = manager_after(m, TICK_MS, tick, NULL) >= 0;
}

static void tick_fresh(Manager *m, void *userdata) {
    for (Watcher *watcher = m->watchers->first, *next; watcher; watcher = next) {
        next = watcher->next;
        stream_progress(m, watcher);
        if (++watcher->quiet_ticks >= KEEP_ALIVE_TICKS) {
            watcher->quiet_ticks = 0;
            buffer_puts(&watcher->pending, ":\n\n");
            watcher_flush(watcher);
        }
    }
    m->watchers->ticking = false;
    tick_again(m);
}

static void tick(Manager *m, void *userdata) {
    if (transfers_refresh(m, 0, TICK_MS / 2, tick_fresh, NULL) < 0)
        tick_fresh(m, NULL);
}

static void start_stream(Call *c, uint64_t life, uint64_t after) {
    Watchers *all = c->m->watchers;
    h2o_req_t *req = c->req;

    if (all->count >= WATCHERS_MAX) {
        reply_errno(c, -EAGAIN);
        return;
    }
    Watcher *watcher = h2o_mem_alloc_shared(&req->pool, sizeof(*watcher), watcher_dispose);
    memset(watcher, 0, sizeof(*watcher));
    watcher->super.proceed = on_proceed;
    watcher->super.stop = on_stop;
    watcher->m = c->m;
    watcher->req = req;
    watcher->life = life;
    watcher->user = c->user;
    watcher->last_n = after;
    watcher->ended = c->m->stopping; /* what is there now, and the rest from the next service */
    watcher->pending.max = STREAM_PENDING_MAX;
    watcher->next = all->first;
    all->first = watcher;
    all->count++;

    req->res.status = 200;
    req->res.reason = "OK";
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, H2O_STRLIT("text/event-stream"));
    reply_header(c, "x-request-id", c->request_id);
    metrics_answer(c, 200);
    h2o_start_response(req, &watcher->super);
    buffer_puts(&watcher->pending, "retry: 5000\n\n");
    watcher_update(watcher);
    tick_again(c->m);
}

/* ---- the call ---- */

static int list_event(const Event *e, void *userdata) {
    EventList *list = userdata;

    write_event(&list->w, e, &list->request);
    return 0;
}

static bool wants_stream(const Call *c) {
    h2o_iovec_t accept = call_header(c, "accept");
    bool head = h2o_memis(c->req->method.base, c->req->method.len, H2O_STRLIT("HEAD")); /* has no end of a stream to wait for */
    return !head && accept.base && h2o_strstr(accept.base, accept.len, H2O_STRLIT("text/event-stream")) != SIZE_MAX;
}

void request_events(Call *c) {
    _cleanup_buffer_ Buffer b = { 0 };
    EventList list = { .w = JSON_WRITER(&b) };
    JsonWriter *w = &list.w;
    uint64_t after = 0;

    int k = store_get(c->m->store, c->param, &list.request);
    if (k >= 0 && call_owner(c) && !streq(call_owner(c), list.request.email)) {
        request_done(&list.request);
        k = -ENOENT;
    }
    if (k < 0) {
        if (k == -ENOENT)
            reply_detail(c, 404, TEXT_NO_REQUEST);
        else
            reply_errno(c, k);
        return;
    }
    if (wants_stream(c)) {
        h2o_iovec_t last = call_header(c, "last-event-id");
        char text[24] = "";
        if (last.len > 0 && last.len < sizeof(text)) {
            memcpy(text, last.base, last.len);
            if (parse_u64(text, INT64_MAX, &after) < 0)
                after = 0;
        }
        start_stream(c, list.request.life, after);
        request_done(&list.request);
        return;
    }
    json_object_open(w, NULL);
    json_string(w, "id", list.request.id);
    json_array_open(w, "eventos");
    k = store_list_events(c->m->store, list.request.life, 0, list_event, &list);
    json_array_close(w);
    json_object_close(w);
    request_done(&list.request);
    if (k < 0)
        reply_errno(c, k);
    else
        reply_json(c, 200, &b);
}

/* ---- waiting in code ---- */

static void waiter_fire(Waiter *waiter) {
    Watchers *all = waiter->m->watchers;

    for (Waiter **at = &all->waiters; *at; at = &(*at)->next)
        if (*at == waiter) {
            *at = waiter->next;
            break;
        }
    waiter->fired = true;
    waiter->final(waiter->m, waiter->life, waiter->userdata);
}

static void waiter_timeout(Manager *m, void *userdata) {
    Waiter *waiter = userdata;

    if (!waiter->fired)
        waiter_fire(waiter);
    free(waiter);
}

int watchers_wait_final(Manager *m, uint64_t life, uint64_t timeout_ms, WatchersFinal final, void *userdata) {
    Waiter *waiter = calloc(1, sizeof(*waiter));

    if (!waiter)
        return -ENOMEM;
    *waiter = (Waiter) { .m = m, .life = life, .final = final, .userdata = userdata, .next = m->watchers->waiters };
    int r = manager_after(m, timeout_ms, waiter_timeout, waiter);
    if (r < 0) {
        free(waiter);
        return r;
    }
    m->watchers->waiters = waiter;
    return 0;
}

static void fire_waiters(Manager *m, uint64_t life) {
    _cleanup_request_ Request r = { 0 };

    if (store_get_life(m->store, life, &r) >= 0 && state_is_under_way(r.state))
        return;
    for (Waiter *waiter = m->watchers->waiters, *next; waiter; waiter = next) {
        next = waiter->next;
        if (waiter->life == life)
            waiter_fire(waiter);
    }
}

void watchers_publish(Manager *m, uint64_t life) {
    for (Watcher *watcher = m->watchers->first, *next; watcher; watcher = next) {
        next = watcher->next;
        if (watcher->life == life)
            watcher_update(watcher);
    }
    if (m->watchers->waiters)
        fire_waiters(m, life);
}
