/* Who called how often: names of clients, and a table that strangers cannot make grow. */
#include "api/rates.h"

#include "basic/strings.h"
#include "crypto/password.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define STRANGERS 100000

static const RateLimit two_a_day = { .calls = 2, .window_ms = 86400000 };

static int new_rates(void **state) {
    return crypto_init() < 0 ? -1 : rates_new((Rates **) state);
}

static int free_rates(void **state) {
    rates_free(*state);
    return 0;
}

static bool count(Rates *r, const char *route, const char *peer) {
    uint32_t wait;
    return rates_count(r, route, peer, &two_a_day, &wait);
}

/* Two calls that let the third one be refused: were they of one client? */
static bool are_one(Rates *r, const char *first, const char *second) {
    bool all = count(r, "post", first);
    all = count(r, "post", second) && all;
    return all && !count(r, "post", first);
}

static void clients(void **state) {
    static const struct {
        const char *first, *second;
        bool one;
    } cases[] = {
        { "192.0.2.1", "192.0.2.1", true },
        { "192.0.2.3", "192.0.2.4", false },
        { "2001:db8::1", "2001:db8::ffff:1:2:3", true }, /* one /64 */
        { "2001:db8:1::1", "2001:db8:1:0:8000::", true },
        { "2001:db8:2::1", "2001:db8:2:1::1", false },
        { "user:1", "user:1", true },
        { "user:2", "user:20", false },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        assert_int_equal(are_one(*state, cases[i].first, cases[i].second), cases[i].one);
}

static void calls_are_counted_apart(void **state) {
    assert_true(are_one(*state, "192.0.2.1", "192.0.2.1"));
    assert_true(count(*state, "login", "192.0.2.1"));
    assert_false(count(*state, "post", "192.0.2.1"));
}

/* Each address in turn, as a stranger with a network of them would: the memory stays what it was, and who came last is still known. */
static void strangers(void **state) {
    char peer[64];

    assert_true(count(*state, "login", "192.0.2.1")); /* whatever the first call sets up */
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (unsigned i = 0; i < STRANGERS; i++) {
        snprintf(peer, sizeof(peer), i % 2 ? "2001:db8:%x:%x::1" : "10.%u.%u.1", i >> 8, i & 0xff);
        assert_true(count(*state, "login", peer));
    }
    assert_int_equal(mallinfo2().uordblks + mallinfo2().hblkhd, before);
    assert_true(count(*state, "login", peer));
    assert_false(count(*state, "login", peer));
}

/* A user's long window is not what strangers' short ones push out. */
static void strangers_push_out_strangers(void **state) {
    static const RateLimit a_minute = { .calls = 5, .window_ms = 60000 };
    char peer[64];
    uint32_t wait;

    assert_true(are_one(*state, "user:1", "user:1"));
    for (unsigned i = 0; i < STRANGERS; i++) {
        snprintf(peer, sizeof(peer), "10.%u.%u.%u", i >> 16, i >> 8 & 0xff, i & 0xff);
        assert_true(rates_count(*state, "login", peer, &a_minute, &wait));
    }
    assert_false(count(*state, "post", "user:1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(clients, new_rates, free_rates),
        cmocka_unit_test_setup_teardown(calls_are_counted_apart, new_rates, free_rates),
        cmocka_unit_test_setup_teardown(strangers, new_rates, free_rates),
        cmocka_unit_test_setup_teardown(strangers_push_out_strangers, new_rates, free_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
