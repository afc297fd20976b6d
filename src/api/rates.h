/* Rate-limit windows by client, in memory of fixed size, kept over an idle exit. CONTRACT "Access", limits. */
#pragma once

#include "model/rate.h"
#include "store/store.h"

#define RATES_MAX 4096 /* clients remembered; past it the one whose window closes first makes room */

typedef struct Rates Rates;

int rates_new(Rates **ret) _must_use_;
Rates *rates_free(Rates *r);
/* Counts one call of `peer` against `limit`; IPv6 peers count by /64. false: refused, *ret_wait whole seconds to wait. */
bool rates_count(Rates *r, const char *route, const char *peer, const RateLimit *limit, uint32_t *ret_wait);
/* What holds now for the calls counted under that name (not NUL-terminated); NULL: nothing, such windows are forgotten. */
typedef const RateLimit *(*RatesLimit)(const char *route, size_t size, const void *userdata);
/* From and to the state database, at start and at exit. A window that is open stays through any number of exits. */
int rates_load(Rates *r, Store *store, RatesLimit limit_of, const void *userdata) _must_use_;
int rates_save(Rates *r, Store *store) _must_use_;
