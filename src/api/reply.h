/* Answers: JSON bodies, the contract's errors, headers. Every answer leaves through reply_json(), which adds X-Request-ID and logs the call. */
#pragma once

#include <stddef.h>

#include "api/call.h"
#include "basic/json_writer.h"

/* Sends and ends the call's answer (not the call itself). body may be NULL for 204. A Buffer with an error becomes a 500. */
void reply_json(Call *c, int status, const Buffer *body);
/* The same for text of another type (a constant). */
void reply_text(Call *c, int status, const char *type, const Buffer *body);
/* {"detail": text} */
void reply_detail(Call *c, int status, const char *text);
/* 400 {"detail":{"id","status":"error","mensaje"}} */
void reply_refused(Call *c, const char *id, const char *message);
/* {"message": text}, 200 */
void reply_message(Call *c, const char *text);
/* 503 for who has to come again: no fault of ours, so nothing is logged as one. */
void reply_busy(Call *c);
/* A body that could not be parsed: what model/request.h refused (-EBADMSG: 422 or 400), or our own error. */
void reply_unparsed(Call *c, int r, const Refusal *refusal);
/* 422 for one query parameter. */
void reply_query_error(Call *c, const char *parameter, const char *message, const char *type);
/* The contract's answer for a negative errno of ours: -ENOENT 404, -EAGAIN/-ENOSPC/-EBUSY 503, anything else 500. */
void reply_errno(Call *c, int r);
/* For a call that is answered later: a new struct of this type, all zeros but for its first member `Call *call`, the call taken along. The caller frees it.
 * NULL: no memory, and the call has its answer. */
#define CALL_LATER(type, c) ({ _Static_assert(offsetof(type, call) == 0, "the call comes first"); (type *) call_later((c), sizeof(type)); })
void *call_later(Call *c, size_t size) _must_use_;
/* Adds a header before the reply; value is copied. */
void reply_header(Call *c, const char *name, const char *value);

/* A body that is not made for this call: sent as it is, not copied, with a strong ETag; 304 for who has it already. */
typedef struct Document {
    const char *type;      /* Content-Type */
    const char *etag;      /* with its quotes */
    const char *encoding;  /* Content-Encoding, or NULL */
    const char *policy;    /* Content-Security-Policy; NULL: that of all answers (browser.c) */
    const char *data;      /* outlives the call */
    size_t size;
} Document;
void reply_document(Call *c, const Document *d);

/* The contract's standing texts, by status; NULL for others. */
const char *reply_standing_text(int status);
const char *reply_reason(int status);
#define RETRY_AFTER_UNAVAILABLE "5" /* seconds, with a 503 of ours */
