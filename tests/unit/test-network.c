/* Networks: how they are written, and which addresses are in them. */
#include "model/network.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void spellings(void **state) {
    static const struct {
        const char *text;
        int r;
        unsigned bits;
    } cases[] = {
        { "192.0.2.1", 0, 128 },       { "192.0.2.0/24", 0, 120 },       { "192.0.2.77/24", 0, 120 },   { "0.0.0.0/0", 0, 96 },
        { "2001:db8::1", 0, 128 },     { "2001:db8::/32", 0, 32 },       { "::/0", 0, 0 },              { "::ffff:192.0.2.1/128", 0, 128 },
        { "192.0.2.0/33", -EINVAL, 0 }, { "2001:db8::/129", -EINVAL, 0 }, { "192.0.2.0/", -EINVAL, 0 },  { "192.0.2.0/-1", -EINVAL, 0 },
        { "192.0.2.0/8/8", -EINVAL, 0 }, { "192.0.2", -EINVAL, 0 },      { "/8", -EINVAL, 0 },          { "", -EINVAL, 0 },
        { "host", -EINVAL, 0 },        { " 192.0.2.1", -EINVAL, 0 },     { "[::1]", -EINVAL, 0 },       { "fe80::1%lo", -EINVAL, 0 },
        { "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa", -EINVAL, 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Network n = { 0 };
        assert_int_equal(network_parse(cases[i].text, &n), cases[i].r);
        assert_int_equal(n.bits, cases[i].bits);
    }
}

static void membership(void **state) {
    static const struct {
        const char *network, *address;
        bool in;
    } cases[] = {
        { "192.0.2.0/24", "192.0.2.0", true },        { "192.0.2.0/24", "192.0.2.255", true },
        { "192.0.2.0/24", "192.0.3.0", false },       { "192.0.2.77/24", "192.0.2.1", true },
        { "192.0.2.128/25", "192.0.2.127", false },   { "192.0.2.128/25", "192.0.2.128", true },
        { "192.0.2.1", "192.0.2.1", true },           { "192.0.2.1", "192.0.2.2", false },
        { "0.0.0.0/0", "203.0.113.9", true },         { "0.0.0.0/0", "2001:db8::1", false },
        { "::/0", "203.0.113.9", true },              { "::/0", "2001:db8::1", true },
        { "192.0.2.0/24", "::ffff:192.0.2.9", true }, { "::ffff:192.0.2.0/120", "192.0.2.9", true },
        { "192.0.2.0/24", "::192.0.2.9", false },     { "2001:db8::/33", "2001:db8:7fff::1", true },
        { "2001:db8::/33", "2001:db8:8000::1", false }, { "2001:db8::1", "2001:0db8:0:0::1", true },
        { "::/0", "unix", false },                    { "::/0", "", false },
        { "::/0", "unknown", false },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Network n;
        assert_int_equal(network_parse(cases[i].network, &n), 0);
        assert_int_equal(network_contains(&n, cases[i].address), cases[i].in);
    }
}

static void sites(void **state) {
    static const struct {
        const char *address, *site;
    } cases[] = {
        { "192.0.2.1", "192.0.2.1" }, { "::ffff:192.0.2.1", "::ffff:192.0.2.1" }, { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
        { "2001:db8::1", "2001:db8::/64" }, { "::1", "::/64" }, { "unix", "unix" }, { "user:5", "user:5" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char site[SITE_TEXT_MAX];
        network_site(cases[i].address, site);
        assert_string_equal(site, cases[i].site);
    }
}

static void lists(void **state) {
    char one[] = "10.0.0.0/8", two[] = "not a network", three[] = "2001:db8::/32";
    char *some[] = { one, two, three, NULL }, *none[] = { NULL };

    assert_true(networks_contain(some, "10.1.2.3"));
    assert_true(networks_contain(some, "2001:db8::5"));
    assert_false(networks_contain(some, "192.0.2.1"));
    assert_false(networks_contain(none, "10.1.2.3"));
    assert_false(networks_contain(NULL, "10.1.2.3"));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(spellings), cmocka_unit_test(membership), cmocka_unit_test(sites), cmocka_unit_test(lists) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
