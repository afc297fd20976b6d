/* The table behind ban.h: chains by a keyed hash, and one list in order of the last refusal, whose head makes room.
 *
 * It knows neither sockets nor accounts, and writes no journal. */
#include "ftpd/ban.h"

#include "ftpd/address.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>

#define CHAINS BAN_ROWS /* a power of two */

typedef struct Row {
    TAILQ_ENTRY(Row) by_age;
    LIST_ENTRY(Row) by_site;
    struct in6_addr key;
    uint64_t opened_ms; /* the window of `refusals` */
    uint64_t until_ms;  /* turned away until then */
    uint32_t refusals;
} Row;

struct Bans {
    BanConfig config;
    uint64_t seed, end_ms;
    size_t n;
    TAILQ_HEAD(, Row) ages; /* the oldest refusal first */
    LIST_HEAD(Chain, Row) chains[CHAINS];
    Row rows[BAN_ROWS];
};

int bans_new(const BanConfig *config, uint64_t seed, Bans **ret) {
    Bans *b = mmap(NULL, sizeof(Bans), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b == MAP_FAILED)
        return -errno;
    if (madvise(b, sizeof(Bans), MADV_DONTFORK) < 0) {
        int r = -errno;
        munmap(b, sizeof(Bans));
        return r;
    }
    b->config = *config;
    b->seed = seed;
    TAILQ_INIT(&b->ages);
    *ret = b;
    return 0;
}

Bans *bans_free(Bans *b) {
    if (b)
        munmap(b, sizeof(Bans));
    return NULL;
}

/* Only what address_same_site() compares may count. */
static size_t chain_of(const Bans *b, const struct in6_addr *key) {
    uint64_t half[2];

    memcpy(half, key, sizeof(half));
    if (!IN6_IS_ADDR_V4MAPPED(key))
        half[1] = 0;
    uint64_t hash = (half[0] ^ b->seed) * 0x9e3779b97f4a7c15ULL;
    hash = (hash ^ (hash >> 32) ^ half[1] ^ (b->seed << 1)) * 0xd6e8feb86659fd93ULL;
    return (size_t) (hash >> 40) & (CHAINS - 1);
}

static Row *find(const Bans *b, const struct in6_addr *key) {
    Row *row;

    LIST_FOREACH(row, &b->chains[chain_of(b, key)], by_site)
    if (address_same_site(&row->key, key))
        return row;
    return NULL;
}

static Row *make(Bans *b, const struct in6_addr *key) {
    Row *row;

    if (b->n < BAN_ROWS)
        row = &b->rows[b->n++];
    else {
        row = TAILQ_FIRST(&b->ages);
        TAILQ_REMOVE(&b->ages, row, by_age);
        LIST_REMOVE(row, by_site);
    }
    *row = (Row){ .key = *key };
    LIST_INSERT_HEAD(&b->chains[chain_of(b, key)], row, by_site);
    TAILQ_INSERT_TAIL(&b->ages, row, by_age);
    return row;
}

uint32_t bans_refused(Bans *b, const struct in6_addr *key, uint64_t now_ms, bool *ret_banned) {
    *ret_banned = false;
    if (b->config.after == 0)
        return 0;

    Row *row = find(b, key);
    if (!row)
        row = make(b, key);
    else {
        TAILQ_REMOVE(&b->ages, row, by_age);
        TAILQ_INSERT_TAIL(&b->ages, row, by_age);
    }
    if (row->refusals == 0 || now_ms - row->opened_ms >= b->config.window_ms) {
        row->opened_ms = now_ms;
        row->refusals = 0;
    }
    if (row->refusals < UINT32_MAX)
        row->refusals++;
    if (row->refusals >= b->config.after && now_ms >= row->until_ms) {
        row->until_ms = now_ms + b->config.window_ms;
        if (row->until_ms > b->end_ms)
            b->end_ms = row->until_ms;
        *ret_banned = true;
    }
    return row->refusals;
}

bool bans_has(const Bans *b, const struct in6_addr *key, uint64_t now_ms) {
    if (now_ms >= b->end_ms) /* as most of the time: nobody is */
        return false;
    const Row *row = find(b, key);
    return row && now_ms < row->until_ms;
}

uint64_t bans_end(const Bans *b) {
    return b->end_ms;
}
