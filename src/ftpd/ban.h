/* Who has been refused too often: sites (an IPv4 address, an IPv6 /64) with their refused logins, in memory of fixed size.
 *
 * Pure: the clock is a parameter (monotonic milliseconds). A site counts for itself only, so nobody can have others turned away; when the table is full,
 * the site whose last refusal is the oldest makes room. A good login takes nothing back: who has one account must not guess at others for free. */
#pragma once

#include "basic/cleanup.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define BAN_ROWS 4096

typedef struct BanConfig {
    uint32_t
        after; /* refusals within window_ms; 0: nobody is ever turned away, nothing is remembered */
    uint64_t window_ms; /* and how long a ban lasts */
} BanConfig;

typedef struct Bans Bans;

/* The table lies in memory that children do not inherit. `seed`: random, so that no one can choose who shares a chain. */
int bans_new(const BanConfig *config, uint64_t seed, Bans **ret) _must_use_;
Bans *bans_free(Bans *b);
DEFINE_CLEANUP(Bans, bans_free)

/* Counts one refused login. Returns how many the site has had within the window, 0 with a table that is off; *ret_banned: this was the one too many. */
uint32_t bans_refused(Bans *b, const struct in6_addr *key, uint64_t now_ms, bool *ret_banned);
/* Is the site to be turned away? */
bool bans_has(const Bans *b, const struct in6_addr *key, uint64_t now_ms);
/* When the last of all bans ends; 0: there was none. */
uint64_t bans_end(const Bans *b);
