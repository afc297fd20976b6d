/* Who the client is, behind proxies of ours, of others, and liars. */
#include "model/forwarded.h"

#include "basic/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static char networks[][20] = { "10.0.0.0/8", "2001:db8:ffff::/48", "127.0.0.1" };
static char *const proxies[] = { networks[0], networks[1], networks[2], NULL };

static void clients(void **state) {
    static const struct {
        const char *peer, *chain, *client;
    } cases[] = {
        /* a stranger's header is not read, whatever it says */
        { "192.0.2.1", "", "192.0.2.1" },
        { "192.0.2.1", "198.51.100.7", "192.0.2.1" },
        { "192.0.2.1", "198.51.100.7, 10.0.0.1", "192.0.2.1" },
        { "2001:db8::1", "198.51.100.7", "2001:db8::1" },
        /* a proxy's is */
        { "10.0.0.1", "198.51.100.7", "198.51.100.7" },
        { "127.0.0.1", "2001:DB8:0:0::5", "2001:db8::5" },
        { "2001:db8:ffff:1::1", "198.51.100.7", "198.51.100.7" },
        { "10.0.0.1", "", "10.0.0.1" },
        /* several, one behind the other; and what the client had written before */
        { "10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7" },
        { "10.0.0.1", "198.51.100.7,10.9.9.9 ,\t127.0.0.1", "198.51.100.7" },
        { "10.0.0.1", "1.1.1.1, 10.0.0.3, 198.51.100.7", "198.51.100.7" },
        { "10.0.0.1", "127.0.0.1, 198.51.100.7, 10.0.0.2", "198.51.100.7" },
        { "10.0.0.1", "unknown, , 198.51.100.7", "198.51.100.7" },
        { "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3" }, /* the client is one of them */
        /* spellings */
        { "10.0.0.1", "198.51.100.7:4711", "198.51.100.7" },
        { "10.0.0.1", "[2001:db8::5]:4711", "2001:db8::5" },
        { "10.0.0.1", "[2001:db8::5]", "2001:db8::5" },
        { "10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7" },
        { "10.0.0.1", "198.51.100.7, ::ffff:10.0.0.2", "198.51.100.7" },
        /* what is no address: the proxy that wrote it answers for it */
        { "10.0.0.1", "unknown", "10.0.0.1" },
        { "10.0.0.1", "198.51.100.7, unknown", "10.0.0.1" },
        { "10.0.0.1", "198.51.100.7, ", "10.0.0.1" },
        { "10.0.0.1", ",", "10.0.0.1" },
        { "10.0.0.1", "198.51.100.7 x", "10.0.0.1" },
        { "10.0.0.1", "[198.51.100.7", "10.0.0.1" },
        { "10.0.0.1", "[2001:db8::5]x", "10.0.0.1" },
        { "10.0.0.1", "198.51.100.7, _hidden, 10.0.0.2", "10.0.0.2" },
        { "10.0.0.1", "0000000000000000000000000000000000000000000000000000000000000000000000000000000001", "10.0.0.1" },
        { "unknown", "198.51.100.7", "unknown" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char client[ADDRESS_TEXT_MAX];
        forwarded_client(proxies, cases[i].peer, cases[i].chain, strlen(cases[i].chain), client);
        assert_string_equal(client, cases[i].client);
        forwarded_client(NULL, cases[i].peer, cases[i].chain, strlen(cases[i].chain), client);
        assert_string_equal(client, cases[i].peer);
    }
}

static void a_chain_without_end(void **state) {
    char chain[20 * (FORWARDED_HOPS_MAX + 4)] = "198.51.100.7", client[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < FORWARDED_HOPS_MAX - 1; i++)
        strcat(chain, ",10.0.0.2");
    forwarded_client(proxies, "10.0.0.1", chain, strlen(chain), client);
    assert_string_equal(client, "198.51.100.7");
    strcat(chain, ",10.0.0.2");
    forwarded_client(proxies, "10.0.0.1", chain, strlen(chain), client);
    assert_string_equal(client, "10.0.0.2");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(clients), cmocka_unit_test(a_chain_without_end) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
