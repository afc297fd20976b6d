/* Who is turned away after refused logins: counts, windows, neighbours, and a table that never grows. */
#include "ftpd/ban.h"

#include "ftpd/address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static const BanConfig three = { .after = 3, .window_ms = 60000 };

static Bans *table(const BanConfig *config) {
    Bans *b;

    assert_int_equal(bans_new(config, 0x0123456789abcdefULL, &b), 0);
    return b;
}

/* Refusals within the window, negative when that was the one too many. */
static int refuse(Bans *b, const char *address, uint64_t now_ms) {
    struct in6_addr key = address_key_parse(address);
    bool banned;
    int n = (int) bans_refused(b, &key, now_ms, &banned);

    return banned ? -n : n;
}

static bool banned(const Bans *b, const char *address, uint64_t now_ms) {
    struct in6_addr key = address_key_parse(address);
    return bans_has(b, &key, now_ms);
}

static void the_third_is_one_too_many(void **state) {
    _cleanup_(bans_freep) Bans *b = table(&three);

    assert_int_equal(bans_end(b), 0);
    assert_int_equal(refuse(b, "203.0.113.5", 1000), 1);
    assert_int_equal(refuse(b, "203.0.113.5", 2000), 2);
    assert_false(banned(b, "203.0.113.5", 2000));
    assert_int_equal(refuse(b, "203.0.113.5", 3000), -3);
    assert_true(banned(b, "203.0.113.5", 3000));
    assert_int_equal(refuse(b, "203.0.113.5", 3500), 4); /* one that was under way: told once */
    assert_true(banned(b, "203.0.113.5", 62999));
    assert_false(banned(b, "203.0.113.5", 63000));
    assert_int_equal(bans_end(b), 63000);
    assert_int_equal(refuse(b, "203.0.113.5", 63000), 1);
}

static void a_window_forgets(void **state) {
    _cleanup_(bans_freep) Bans *b = table(&three);

    assert_int_equal(refuse(b, "203.0.113.5", 0), 1);
    assert_int_equal(refuse(b, "203.0.113.5", 59999), 2);
    assert_int_equal(refuse(b, "203.0.113.5", 60000), 1);
    assert_false(banned(b, "203.0.113.5", 60000));
}

static void others_are_not_touched(void **state) {
    _cleanup_(bans_freep) Bans *b = table(&three);

    for (int i = 0; i < 3; i++) {
        (void) refuse(b, "203.0.113.5", 1000);
        (void) refuse(b, "2001:db8:1:2::7", 1000);
    }
    assert_true(banned(b, "203.0.113.5", 1000));
    assert_true(banned(b, "2001:db8:1:2::7", 1000));
    assert_true(banned(b, "2001:db8:1:2:ffff::1", 1000)); /* the same /64 */
    assert_false(banned(b, "203.0.113.6", 1000));
    assert_false(banned(b, "2001:db8:1:3::7", 1000));
    assert_false(banned(b, "::1", 1000));
    assert_int_equal(refuse(b, "203.0.113.6", 1000), 1);
}

static void off_is_off(void **state) {
    static const BanConfig never = { .after = 0, .window_ms = 60000 };
    _cleanup_(bans_freep) Bans *b = table(&never);

    for (int i = 0; i < 100; i++)
        assert_int_equal(refuse(b, "203.0.113.5", 1000), 0);
    assert_false(banned(b, "203.0.113.5", 1000));
}

/* A hundred thousand sites: the one that was refused least recently makes room, the others are still known. */
static void the_oldest_makes_room(void **state) {
    _cleanup_(bans_freep) Bans *b = table(&three);
    char address[64];
    const uint32_t sites = 100000;

    for (uint32_t i = 0; i < sites; i++) {
        snprintf(address, sizeof(address), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
        assert_int_equal(refuse(b, address, 1000), 1);
        if (i % 1000 == 0 && i < 2000) /* this one stays fresh */
            assert_true(refuse(b, "198.51.100.1", 1000) <= 2);
    }
    for (uint32_t i = sites - BAN_ROWS; i < sites; i++) {
        snprintf(address, sizeof(address), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
        assert_int_equal(refuse(b, address, 2000), 2);
    }
    assert_int_equal(refuse(b, "2001:db8:0:0::1", 2000), 1);
    assert_int_equal(refuse(b, "198.51.100.1", 2000), 1);
}

static void a_flood_does_not_free_who_goes_on(void **state) {
    _cleanup_(bans_freep) Bans *b = table(&three);
    char address[64];

    for (int i = 0; i < 3; i++)
        (void) refuse(b, "198.51.100.1", 1000);
    for (uint32_t i = 0; i < 3 * BAN_ROWS; i++) {
        snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        (void) refuse(b, address, 1000);
        if (i % (BAN_ROWS / 2) == 0)
            (void) refuse(b, "198.51.100.1", 1000);
    }
    assert_true(banned(b, "198.51.100.1", 2000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_third_is_one_too_many),
        cmocka_unit_test(a_window_forgets),
        cmocka_unit_test(others_are_not_touched),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(a_flood_does_not_free_who_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
