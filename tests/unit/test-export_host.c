/* Hosts of destinations: which are refused as they are written, which when they have been looked up; and the pipe with the secret in it. */
#include "api/export_host.h"

#include "basic/strings.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static Manager manager_with(Settings *settings, bool internal) {
    *settings = (Settings) { .export_internal = internal };
    return (Manager) { .settings = settings };
}

static void hosts_that_are_this_machine_as_written(void **state) {
    static const struct {
        const char *host;
        bool inner;
    } cases[] = {
        { "127.0.0.1", true },   { "127.9.9.9", true },  { "2130706433", true }, { "::1", true },        { "::ffff:127.0.0.1", true }, { "0.0.0.0", true },
        { "169.254.1.1", true }, { "fe80::1", true },    { "localhost", true },  { "LocalHost", true },  { "a.localhost", true },
        { "203.0.113.5", false }, { "10.0.0.1", false }, { "example.org", false }, { "notlocalhost", false }, { "2001:db8::1", false },
    };
    Settings settings;
    Manager strict = manager_with(&settings, false);

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        if (export_host_is_inner(&strict, cases[i].host) != cases[i].inner)
            fail_msg("%s", cases[i].host);
    Manager open = manager_with(&settings, true);
    assert_false(export_host_is_inner(&open, "127.0.0.1"));
}

static void look_up(const Manager *m, const char *host, HostLookup *ret) {
    host_lookup_init(ret, m, host);
    host_lookup_run(ret);
}

static void what_resolves_to_this_machine_is_refused(void **state) {
    static const char *const hosts[] = { "127.0.0.1", "::1", "127.1" };
    Settings settings;
    Manager strict = manager_with(&settings, false);
    HostLookup l;

    for (size_t i = 0; i < ELEMENTS(hosts); i++) {
        look_up(&strict, hosts[i], &l);
        assert_false(l.ok);
        assert_int_equal(l.cause, EXPORT_ADDRESS);
        assert_null(l.addresses[0]);
        assert_true(l.detail[0]);
    }
    Manager open = manager_with(&settings, true);
    look_up(&open, "127.0.0.1", &l);
    assert_true(l.ok);
    assert_string_equal(l.addresses[0], "127.0.0.1");
    assert_null(l.addresses[1]);
    host_lookup_done(&l);
}

static void what_is_elsewhere_is_taken(void **state) {
    Settings settings;
    Manager strict = manager_with(&settings, false);
    HostLookup l;

    look_up(&strict, "203.0.113.5", &l); /* RFC 5737: nobody's */
    assert_true(l.ok);
    assert_string_equal(l.addresses[0], "203.0.113.5");
    host_lookup_done(&l);
    look_up(&strict, "2001:db8::5", &l); /* RFC 3849 */
    assert_true(l.ok);
    assert_string_equal(l.addresses[0], "2001:db8::5");
    host_lookup_done(&l);
}

/* Whatever addresses this machine has: none of them is a destination. */
static void own_addresses_are_refused(void **state) {
    struct ifaddrs *list = NULL;
    Settings settings;
    Manager strict = manager_with(&settings, false);

    assert_int_equal(getifaddrs(&list), 0);
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        char text[NI_MAXHOST];
        if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
            continue;
        socklen_t size = i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        assert_int_equal(getnameinfo(i->ifa_addr, size, text, sizeof(text), NULL, 0, NI_NUMERICHOST), 0);
        text[strcspn(text, "%")] = '\0';
        if (!export_host_is_inner(&strict, text))
            fail_msg("%s", text);
    }
    freeifaddrs(list);
}

static void the_secret_goes_through_the_pipe(void **state) {
    _cleanup_(fernet_keys_freep) FernetKeys *keys = NULL, *others = NULL;
    _cleanup_destination_ Destination d = { .type = DESTINATION_FTP, .host = "h", .port = 21, .username = "ana", .path = "." };
    char key[FERNET_KEY_TEXT_SIZE], other[FERNET_KEY_TEXT_SIZE], bytes[EXPORT_ORDER_SIZE];
    _cleanup_export_order_ ExportOrder o = { 0 };
    const char *why;
    Settings settings;
    Manager m = manager_with(&settings, true);
    HostLookup l;

    fernet_key_generate(key);
    fernet_key_generate(other);
    assert_int_equal(fernet_keys_parse(key, &keys, &why), 0);
    assert_int_equal(fernet_keys_parse(other, &others, &why), 0);
    assert_int_equal(fernet_encrypt(keys, "secreta", 7, 1700000000, &d.password), 0);
    look_up(&m, "203.0.113.5", &l);

    m.keys = others;
    assert_int_equal(export_order_pipe(&m, &d, &l, NULL), -EBADMSG);
    m.keys = keys;
    _cleanup_close_ int fd = export_order_pipe(&m, &d, &l, "00112233445566778899aabbccddeeff");
    assert_true(fd >= 0);
    ssize_t n = read(fd, bytes, sizeof(bytes));
    assert_true(n > 0);
    assert_int_equal(export_order_parse(bytes, (size_t) n, &o), 0);
    assert_string_equal(o.password, "secreta");
    assert_null(o.ssh_key);
    assert_string_equal(o.addresses[0], "203.0.113.5");
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 0); /* whoever reads again finds nothing */
    host_lookup_done(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_that_are_this_machine_as_written),
        cmocka_unit_test(what_resolves_to_this_machine_is_refused),
        cmocka_unit_test(what_is_elsewhere_is_taken),
        cmocka_unit_test(own_addresses_are_refused),
        cmocka_unit_test(the_secret_goes_through_the_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
