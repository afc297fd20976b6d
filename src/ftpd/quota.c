/* The arithmetic of a drop's limit. */
#include "ftpd/quota.h"

#include "basic/usage.h"

#define PORTION_SHARE 64 /* of what is left, for one session: no few of them hold what others lack */
#define PORTION_MIN (1ULL << 20)
#define PORTION_MAX (16ULL << 20)

static uint64_t sum(uint64_t a, uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t difference(uint64_t a, uint64_t b) {
    return a > b ? a - b : 0;
}

static Room plus(Room a, Room b) {
    return (Room) { sum(a.bytes, b.bytes), sum(a.names, b.names) };
}

static Room minus(Room a, Room b) {
    return (Room) { difference(a.bytes, b.bytes), difference(a.names, b.names) };
}

Room ledger_left(const Ledger *l, uint64_t limit) {
    return minus((Room) { limit, USAGE_NAMES_MAX }, plus(l->counted, l->granted));
}

void ledger_grant(Ledger *l, Room granted) {
    l->granted = plus(l->granted, granted);
    l->counting = plus(l->counting, granted);
}

void ledger_return(Ledger *l, Room left) {
    l->granted = minus(l->granted, left);
    l->counting = minus(l->counting, left);
}

void ledger_count_begin(Ledger *l, Room outstanding) {
    l->counting = outstanding;
    l->loose = outstanding.bytes > 0 || outstanding.names > 0; /* counted twice, where it is used already */
}

void ledger_count_end(Ledger *l, Room counted) {
    l->counted = counted;
    l->granted = l->counting;
    l->known = true;
}

uint64_t quota_portion(uint64_t bytes, uint64_t left) {
    if (bytes >= left)
        return left;
    uint64_t more = (left - bytes) / PORTION_SHARE;
    return more < PORTION_MIN ? bytes : bytes + (more < PORTION_MAX ? more : PORTION_MAX);
}
