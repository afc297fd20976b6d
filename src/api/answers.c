/* A direct-mapped table of bodies. It knows nothing of requests but their id and end. */
#include "api/answers.h"

#include "basic/strings.h"

#include <errno.h>

typedef struct Answer {
    char *id; /* and behind its NUL the body */
    Buffer body;
    uint64_t generation;
    int64_t expires;
} Answer;

struct Answers {
    uint64_t generation;
    size_t bytes;
    Answer *places; /* ANSWERS_MAX, made at the first use: an idle service needs none */
};

int answers_new(Answers **ret) {
    Answers *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->generation = 1;
    *ret = a;
    return 0;
}

static void drop_all(Answers *a) {
    for (size_t i = 0; a->places && i < ANSWERS_MAX; i++)
        free(a->places[i].id);
    free(a->places);
    a->places = NULL;
    a->bytes = 0;
}

Answers *answers_free(Answers *a) {
    if (a)
        drop_all(a);
    free(a);
    return NULL;
}

void answers_forget(Answers *a) {
    a->generation++;
}

static Answer *place_of(Answers *a, const char *id) {
    uint64_t h = 14695981039346656037u; /* FNV-1a */

    for (; *id; id++)
        h = (h ^ (unsigned char) *id) * 1099511628211u;
    return &a->places[(h ^ h >> 32) % ANSWERS_MAX];
}

const Buffer *answers_find(Answers *a, const char *id, int64_t now) {
    if (!a->places)
        return NULL;
    const Answer *place = place_of(a, id);
    if (place->generation != a->generation || place->expires <= now || !streq(place->id, id))
        return NULL;
    return &place->body;
}

void answers_keep(Answers *a, const char *id, int64_t expires, const Buffer *body) {
    size_t id_size = strlen(id) + 1;

    if (body->error)
        return;
    if (a->bytes + id_size + body->size + 1 > ANSWER_BYTES_MAX)
        drop_all(a);
    if (!a->places && !(a->places = calloc(ANSWERS_MAX, sizeof(*a->places))))
        return;
    char *copy = malloc(id_size + body->size + 1);
    if (!copy)
        return;
    Answer *place = place_of(a, id);
    if (place->id) {
        a->bytes -= strlen(place->id) + 1 + place->body.size + 1;
        free(place->id);
    }
    memcpy(copy, id, id_size);
    memcpy(copy + id_size, body->data, body->size);
    copy[id_size + body->size] = '\0';
    *place = (Answer) { .id = copy, .body = { .data = copy + id_size, .size = body->size }, .generation = a->generation, .expires = expires };
    a->bytes += id_size + body->size + 1;
}
