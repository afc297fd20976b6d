/* Answers to GET /tmpftp/{id} kept for the next time: portals poll the same requests again and again. An answer goes when its request is altered, when its
 * end has come, and when nobody asked for it lately.
 *
 * Bounded in number and bytes; past that what was asked for least lately makes room. They hold what the database holds: Fernet tokens, no passwords. */
#pragma once

#include "basic/buffer.h"

#define ANSWERS_MAX 262144           /* places, a power of two; some stay empty while others overflow, so not all can be had */
#define ANSWER_BYTES_MAX (64u << 20) /* of all answers together */
#define ANSWERS_TURNS 12             /* calls of answers_age() until each place has been looked at */

typedef struct Answers Answers;

int answers_new(Answers **ret) _must_use_;
Answers *answers_free(Answers *a);
/* Something was committed that alters this life's answer; 0: it may be anybody's. */
void answers_forget(Answers *a, uint64_t life);
/* The kept body of that id: *ret points into it until the next call here and is not to be freed. `owner`: only when the request is this one's; NULL: anybody's.
 * false: ask the database. now: UTC seconds. */
bool answers_find(Answers *a, const char *id, const char *owner, int64_t now, Buffer *ret);
/* Keeps a copy of a body that is right before `expires` (UTC seconds) and until that life is forgotten. `owner`: whose request it is. */
void answers_keep(Answers *a, uint64_t life, const char *id, const char *owner, int64_t expires, const Buffer *body);
/* To be called every few seconds: frees what nobody asked for since the turn before, and gives the memory back. */
void answers_age(Answers *a);

/* For tests: how many are kept, and what they take. */
size_t answers_count(const Answers *a, size_t *ret_bytes);
