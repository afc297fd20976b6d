/* How a request looks on the wire. */
#pragma once

#include "api/reply.h"
#include "store/store.h"

/* POST's 200 of the simulator: {"id","status":"listo","ftpuser","password","vigencia","mensaje"} */
void view_reply_finished(Call *c, const RequestView *v);
/* The members of `progreso` as an object under key; progress NULL: null. */
struct Progress;
void view_progress(JsonWriter *w, const char *key, const struct Progress *progress);
