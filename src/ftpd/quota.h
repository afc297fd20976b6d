/* How much may still be put into a drop folder. Pure arithmetic that can't wrap; counting what lies there is basic/usage.h's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct Quota {
    uint64_t limit; /* bytes; 0: none, of names neither */
    uint64_t used;
    uint64_t names;
} Quota;

/* Bytes that still fit; UINT64_MAX without a limit. */
uint64_t quota_left(const Quota *q);
/* May one more file or folder be made? */
bool quota_has_room_for_name(const Quota *q);
/* A file grew or shrank, was made (from 0) or removed (to 0). */
void quota_resized(Quota *q, uint64_t from, uint64_t to);
void quota_named(Quota *q);
void quota_unnamed(Quota *q);
