/* A request's live events: the HTTP stream, taken apart into JSON objects. */
#pragma once

#include "cli/client.h"

#define EVENT_ID_MAX 32

/* type: "estado" or "progreso". data: a JSON object, lives during the call. Non-zero ends the stream and is returned. */
typedef int (*EventHandler)(const char *type, const json_t *data, void *userdata);

/* last_id: where to go on (empty: from the start), kept up to date. Result as client_stream(); what is no event of ours is read over. */
int event_stream_read(Client *client, const char *id, char last_id[static EVENT_ID_MAX], EventHandler handler, void *userdata, Reply *ret) _must_use_;
