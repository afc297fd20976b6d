/* A table of bodies by id: buckets of eight places, found by the id's hash. What is forgotten is only stamped: an answer counts while it is younger than the
 * stamp of its life (several lives share one: a few are forgotten too many, never one too few).
 *
 * It knows nothing of requests but id, life and end, and nothing of why one changed. */
#include "api/answers.h"

#include "basic/strings.h"

#include <errno.h>
#include <malloc.h>

#define PLACES 8
#define BUCKETS (ANSWERS_MAX / PLACES)
#define STAMPS 16384
#define SWEEP_MAX 64 /* buckets looked at to make room for one answer */

typedef struct Answer {
    int64_t expires;
    uint64_t life;
    uint64_t kept; /* the clock when it was kept */
    uint32_t size; /* of the body */
    uint16_t owner_at, body_at; /* in id[] */
    bool used;     /* since the sweep came by */
    char id[];     /* and behind its NUL the owner, and behind its the body */
} Answer;

/* The tags of a bucket share a cache line: looking for an id touches no other answer. */
typedef struct Bucket {
    uint32_t tags[PLACES];
    Answer *answers[PLACES];
} Bucket;

struct Answers {
    Bucket *buckets; /* made at the first use: an idle service needs none */
    uint64_t clock;  /* moves with each forgetting */
    uint64_t forgotten[STAMPS], all_forgotten;
    size_t count, bytes, hand, freed; /* hand: the bucket to sweep next; freed: bytes since memory was given back */
};

int answers_new(Answers **ret) {
    Answers *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->clock = 1;
    *ret = a;
    return 0;
}

static size_t size_of(const Answer *answer) {
    return malloc_usable_size((void *) answer) + sizeof(size_t);
}

static void drop(Answers *a, Bucket *b, size_t i) {
    if (!b->answers[i])
        return;
    size_t size = size_of(b->answers[i]);
    a->bytes -= size;
    a->freed += size;
    a->count--;
    free(b->answers[i]);
    b->answers[i] = NULL;
    b->tags[i] = 0;
}

Answers *answers_free(Answers *a) {
    if (!a)
        return NULL;
    for (size_t i = 0; a->buckets && i < BUCKETS; i++)
        for (size_t k = 0; k < PLACES; k++)
            free(a->buckets[i].answers[k]);
    free(a->buckets);
    free(a);
    return NULL;
}

void answers_forget(Answers *a, uint64_t life) {
    if (life == 0)
        a->all_forgotten = a->clock;
    else
        a->forgotten[life % STAMPS] = a->clock;
    a->clock++;
}

static bool is_current(const Answers *a, const Answer *answer) {
    return answer->kept > a->all_forgotten && answer->kept > a->forgotten[answer->life % STAMPS];
}

static Bucket *bucket_of(const Answers *a, const char *id, uint32_t *ret_tag) {
    uint64_t h = 14695981039346656037u; /* FNV-1a */

    for (; *id; id++)
        h = (h ^ (unsigned char) *id) * 1099511628211u;
    h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u; /* FNV's upper bits know little of the last letters */
    *ret_tag = (uint32_t) h | 1; /* 0: an empty place */
    return &a->buckets[(h >> 32) % BUCKETS];
}

/* The place of that id; PLACES: it has none. */
static size_t place_of(const Bucket *b, uint32_t tag, const char *id) {
    size_t i = 0;

    while (i < PLACES && (b->tags[i] != tag || !streq(b->answers[i]->id, id)))
        i++;
    return i;
}

bool answers_find(Answers *a, const char *id, const char *owner, int64_t now, Buffer *ret) {
    uint32_t tag;

    if (!a->buckets)
        return false;
    const Bucket *b = bucket_of(a, id, &tag);
    size_t i = place_of(b, tag, id);
    if (i == PLACES)
        return false;
    Answer *answer = b->answers[i];
    if (answer->expires <= now || !is_current(a, answer) || (owner && !streq(owner, answer->id + answer->owner_at)))
        return false;
    answer->used = true;
    *ret = (Buffer) { .data = answer->id + answer->body_at, .size = answer->size };
    return true;
}

/* Each answer has a second chance: a sweep takes what was not asked for since the one before. */
static void sweep(Answers *a, Bucket *b) {
    for (size_t i = 0; i < PLACES; i++)
        if (b->answers[i] && b->answers[i]->used && is_current(a, b->answers[i]))
            b->answers[i]->used = false;
        else
            drop(a, b, i);
}

static void sweep_next(Answers *a) {
    sweep(a, &a->buckets[a->hand]);
    a->hand = (a->hand + 1) % BUCKETS;
}

static size_t empty_place(const Bucket *b) {
    size_t i = 0;

    while (i < PLACES && b->answers[i])
        i++;
    return i;
}

/* An empty place in that bucket, made when there is none. */
static size_t make_place(Answers *a, Bucket *b) {
    size_t i = empty_place(b);

    if (i == PLACES) {
        sweep(a, b);
        i = empty_place(b);
    }
    if (i == PLACES) /* all were asked for: any may go */
        drop(a, b, i = a->clock % PLACES);
    return i;
}

void answers_keep(Answers *a, uint64_t life, const char *id, const char *owner, int64_t expires, const Buffer *body) {
    size_t owner_at = strlen(id) + 1, body_at = owner_at + strlen(owner) + 1, size = sizeof(Answer) + body_at + body->size;
    uint32_t tag;

    if (body->error || body->size > UINT32_MAX || body_at > UINT16_MAX)
        return;
    if (!a->buckets && !(a->buckets = calloc(BUCKETS, sizeof(*a->buckets))))
        return;
    for (size_t n = 0; a->bytes + size > ANSWER_BYTES_MAX && n < SWEEP_MAX; n++)
        sweep_next(a);
    Answer *answer = a->bytes + size > ANSWER_BYTES_MAX ? NULL : malloc(size);
    if (!answer)
        return;
    *answer = (Answer) { .expires = expires, .life = life, .kept = a->clock, .size = (uint32_t) body->size,
                         .owner_at = (uint16_t) owner_at, .body_at = (uint16_t) body_at, .used = true };
    memcpy(answer->id, id, owner_at);
    memcpy(answer->id + owner_at, owner, body_at - owner_at);
    memcpy(answer->id + body_at, body->data, body->size);

    Bucket *b = bucket_of(a, id, &tag);
    size_t i = place_of(b, tag, id);
    if (i < PLACES)
        drop(a, b, i);
    else
        i = make_place(a, b);
    b->answers[i] = answer;
    b->tags[i] = tag;
    a->count++;
    a->bytes += size_of(answer);
}

void answers_age(Answers *a) {
    if (!a->buckets)
        return;
    for (size_t n = 0; n < (BUCKETS + ANSWERS_TURNS - 1) / ANSWERS_TURNS; n++)
        sweep_next(a);
    if (a->count == 0) {
        free(a->buckets);
        a->buckets = NULL;
        a->hand = 0;
    }
    if (a->freed > ANSWER_BYTES_MAX / 16 || (a->freed > 0 && a->count == 0)) {
        (void) malloc_trim(0); /* free() alone keeps most of it for later */
        a->freed = 0;
    }
}

size_t answers_count(const Answers *a, size_t *ret_bytes) {
    *ret_bytes = a->bytes;
    return a->count;
}
