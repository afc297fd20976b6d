/* The arithmetic of a drop's limit. */
#include "ftpd/quota.h"

#include "basic/usage.h"

uint64_t quota_left(const Quota *q) {
    if (q->limit == 0)
        return UINT64_MAX;
    return q->used < q->limit ? q->limit - q->used : 0;
}

bool quota_has_room_for_name(const Quota *q) {
    return q->limit == 0 || (q->names < USAGE_NAMES_MAX && q->used < q->limit);
}

void quota_resized(Quota *q, uint64_t from, uint64_t to) {
    if (to < from)
        q->used = q->used > from - to ? q->used - (from - to) : 0;
    else
        q->used = q->used > UINT64_MAX - (to - from) ? UINT64_MAX : q->used + (to - from);
}

void quota_named(Quota *q) {
    if (q->names < UINT64_MAX)
        q->names++;
}

void quota_unnamed(Quota *q) {
    if (q->names > 0)
        q->names--;
}
