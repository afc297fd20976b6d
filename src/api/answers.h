/* Answers to GET /tmpftp/{id} kept for the next time. Portals poll the same few requests; the database is asked again only after something was written.
 *
 * Coarse on purpose: any commit forgets everything, so that no path of change can be overlooked. Fixed number of places, bounded bytes. */
#pragma once

#include "basic/buffer.h"
#include "model/request.h"

#define ANSWERS_MAX 65536             /* a power of two */
#define ANSWER_BYTES_MAX (64u << 20)  /* bodies kept; past it the table starts again empty */

typedef struct Answers Answers;

int answers_new(Answers **ret) _must_use_;
Answers *answers_free(Answers *a);
/* Something was committed: what is kept may be wrong now. */
void answers_forget(Answers *a);
/* The kept body of that id, valid until the next call here; NULL: ask the database. now: UTC seconds, an answer past its end is not given. */
const Buffer *answers_find(Answers *a, const char *id, int64_t now);
/* Keeps a copy of a body that is right until `expires` or the next commit. */
void answers_keep(Answers *a, const char *id, int64_t expires, const Buffer *body);
