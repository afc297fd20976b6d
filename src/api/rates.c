/* Who called how often. An open-addressing table of fixed size: whatever a stranger sends, the memory stays the same.
 * Windows are counted by the monotonic clock; only the copy on disk uses UTC. */
#include "api/rates.h"

#include "basic/strings.h"
#include "basic/time.h"
#include "crypto/password.h"
#include "model/network.h"

#include <errno.h>
#include <stdio.h>

#define KEY_MAX 64
#define PROBE_MAX 16

typedef struct RateSlot {
    char key[KEY_MAX];
    uint64_t closes_ms;
    RateWindow window;
} RateSlot;

struct Rates {
    uint64_t seed; /* so that nobody can choose addresses that push others out */
    RateSlot slots[RATES_MAX];
};

/* Two days ahead of the monotonic clock, so that a window that opened before this boot still has a place on the scale. */
static uint64_t rates_now(void) {
    return monotonic_ms() + 2u * 24 * 60 * 60 * 1000;
}

int rates_new(Rates **ret) {
    Rates *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    random_bytes(&r->seed, sizeof(r->seed));
    *ret = r;
    return 0;
}

Rates *rates_free(Rates *r) {
    free(r);
    return NULL;
}

static uint64_t hash_key(const Rates *r, const char *key) {
    uint64_t h = r->seed;

    for (; *key; key++) {
        h = (h ^ (unsigned char) *key) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32; /* FNV without this step collides alike under every seed */
    }
    return h;
}

static RateSlot *find_slot(Rates *r, const char *key) {
    uint64_t h = hash_key(r, key);
    RateSlot *best = NULL;

    for (size_t i = 0; i < PROBE_MAX; i++) {
        RateSlot *s = &r->slots[(h + i) % RATES_MAX];
        if (streq(s->key, key))
            return s;
        if (!best || s->closes_ms < best->closes_ms)
            best = s;
    }
    memset(best, 0, sizeof(*best));
    snprintf(best->key, sizeof(best->key), "%s", key);
    return best;
}

static void make_key(const char *route, const char *peer, char ret[static KEY_MAX]) {
    char site[SITE_TEXT_MAX];

    network_site(peer, site);
    snprintf(ret, KEY_MAX, "%s %.*s", route, KEY_MAX - 16, site);
}

bool rates_count(Rates *r, const char *route, const char *peer, const RateLimit *limit, uint32_t *ret_wait) {
    char key[KEY_MAX];
    uint64_t now = rates_now();

    make_key(route, peer, key);
    RateSlot *s = find_slot(r, key);
    bool allowed = rate_window_count(&s->window, limit, now, ret_wait);
    s->closes_ms = s->window.opened_ms + limit->window_ms;
    return allowed;
}

typedef struct LoadState {
    Rates *rates;
    RatesLimit limit_of;
    const void *userdata;
    uint64_t now;
    int64_t utc_ms;
} LoadState;

static int load_one(const char *key, int64_t opened_utc_ms, uint32_t calls, void *userdata) {
    LoadState *state = userdata;
    int64_t age = state->utc_ms - opened_utc_ms;

    const RateLimit *limit = state->limit_of(key, strcspn(key, " "), state->userdata);

    if (!limit || age < 0 || (uint64_t) age >= limit->window_ms) /* of no call any more, from the future, or closed: let it go */
        return 0;
    RateSlot *s = find_slot(state->rates, key);
    s->window = (RateWindow) { .opened_ms = state->now - (uint64_t) age, .calls = calls };
    s->closes_ms = s->window.opened_ms + limit->window_ms;
    return 0;
}

int rates_load(Rates *r, Store *store, RatesLimit limit_of, const void *userdata) {
    LoadState state = { .rates = r, .limit_of = limit_of, .userdata = userdata, .now = rates_now(), .utc_ms = utc_now() * 1000 };
    return store_list_rates(store, load_one, &state);
}

static int save_job(StoreTx *tx, void *userdata) {
    Rates *rates = userdata;
    uint64_t now = rates_now();
    int64_t utc_ms = utc_now() * 1000;
    int r = tx_rates_replace_begin(tx);

    for (size_t i = 0; r >= 0 && i < RATES_MAX; i++) {
        const RateSlot *s = &rates->slots[i];
        if (s->key[0] && s->closes_ms > now)
            r = tx_rate_put(tx, s->key, utc_ms - (int64_t) (now - s->window.opened_ms), s->window.calls);
    }
    return r;
}

int rates_save(Rates *r, Store *store) {
    return store_write_wait(store, save_job, r);
}
