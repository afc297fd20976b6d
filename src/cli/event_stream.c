/* Joins the HTTP stream, the parser of server-sent events and the JSON parser.
 *
 * Knows no state and draws nothing: events go to the handler as they come. */
#include "cli/event_stream.h"

#include "cli/sse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct EventStream {
    SseParser parser;
    char *last_id;
    EventHandler handler;
    void *userdata;
} EventStream;

static void free_json(json_t **value) {
    json_decref(*value);
}

static int on_event(const SseEvent *event, void *userdata) {
    EventStream *s = userdata;

    if (strlen(event->id) < EVENT_ID_MAX)
        snprintf(s->last_id, EVENT_ID_MAX, "%s", event->id);
    _cleanup_(free_json) json_t *data = json_loadb(event->data, event->size, 0, NULL);
    return json_is_object(data) ? s->handler(event->type, data, s->userdata) : 0;
}

static int on_chunk(const char *bytes, size_t size, void *userdata) {
    EventStream *s = userdata;
    return sse_feed(&s->parser, bytes, size, on_event, s);
}

static void event_stream_done(EventStream *s) {
    sse_done(&s->parser);
}

int event_stream_read(Client *client, const char *id, char last_id[static EVENT_ID_MAX], EventHandler handler, void *userdata, Reply *ret) {
    _cleanup_(event_stream_done) EventStream s = { .last_id = last_id, .handler = handler, .userdata = userdata };
    _cleanup_free_ char *path = client_path(id, "/eventos");

    sse_init(&s.parser);
    if (!path)
        return -ENOMEM;
    return client_stream(client, path, last_id, on_chunk, &s, ret);
}
