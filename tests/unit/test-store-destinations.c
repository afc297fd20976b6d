/* Destinations: what is unique, who is the default one, whose key was seen, what new keys encrypt. */
#include "store-fixture.h"

#include "basic/strings.h"

#define KEY "SHA256:0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

static Destination destination_of(const char *name) {
    Destination d = { .type = DESTINATION_SFTP, .host = "sftp.example.org", .port = 22, .username = "ana", .path = "/in", .created = START };

    snprintf(d.name, sizeof(d.name), "%s", name);
    d.password = strdup("token-1");
    assert_non_null(d.password);
    return d;
}

static int put_destination_job(StoreTx *tx, void *userdata) {
    return tx_destination_put(tx, userdata);
}

static int put(Store *s, Destination *d) {
    return store_write_wait(s, put_destination_job, d);
}

static uint64_t put_named(Store *s, const char *name, const char *group, bool is_default) {
    Destination d = destination_of(name);

    snprintf(d.group, sizeof(d.group), "%s", group);
    d.is_default = is_default;
    assert_int_equal(put(s, &d), 0);
    destination_done(&d);
    return d.id;
}

static void they_come_back_as_they_were(void **state) {
    Fixture *f = *state;
    _cleanup_destination_ Destination d = destination_of("socio"), back = { 0 }, named = { 0 }, none = { 0 };

    strcpy(d.group, "unam.mx");
    strcpy(d.host_key, KEY);
    assert_int_equal(put(f->store, &d), 0);
    assert_true(d.id > 0);
    fixture_reopen(f);
    assert_int_equal(store_destination(f->store, d.id, &back), 0);
    assert_string_equal(back.name, "socio");
    assert_int_equal(back.type, DESTINATION_SFTP);
    assert_string_equal(back.host, d.host);
    assert_int_equal(back.port, 22);
    assert_string_equal(back.password, "token-1");
    assert_null(back.ssh_key);
    assert_string_equal(back.group, "unam.mx");
    assert_string_equal(back.host_key, KEY);
    assert_string_equal(back.seen_key, "");
    assert_int_equal(store_destination_by_name(f->store, "socio", &named), 0);
    assert_int_equal(named.id, d.id);
    assert_int_equal(store_destination(f->store, d.id + 1, &none), -ENOENT);
    assert_int_equal(store_destination_by_name(f->store, "Socio", &none), -ENOENT);
}

static void names_are_unique(void **state) {
    Fixture *f = *state;
    _cleanup_destination_ Destination a = destination_of("a"), b = destination_of("b"), again = destination_of("a");

    assert_int_equal(put(f->store, &a), 0);
    assert_int_equal(put(f->store, &b), 0);
    assert_int_equal(put(f->store, &again), -EEXIST);
    strcpy(b.name, "a");
    assert_int_equal(put(f->store, &b), -EEXIST);
    b.id += 7;
    strcpy(b.name, "c");
    assert_int_equal(put(f->store, &b), -ENOENT);
}

static int remove_job(StoreTx *tx, void *userdata) {
    return tx_destination_remove(tx, *(uint64_t *) userdata);
}

static void a_number_is_never_used_twice(void **state) {
    Fixture *f = *state;
    uint64_t first = put_named(f->store, "a", "", false);

    assert_int_equal(store_write_wait(f->store, remove_job, &first), 0);
    assert_int_equal(store_write_wait(f->store, remove_job, &first), -ENOENT);
    assert_true(put_named(f->store, "a", "", false) > first);
}

static void one_is_the_default_one(void **state) {
    Fixture *f = *state;
    uint64_t a = put_named(f->store, "a", "", true), b = put_named(f->store, "b", "", true);
    _cleanup_destination_ Destination first = { 0 }, second = { 0 };

    assert_int_equal(store_destination(f->store, a, &first), 0);
    assert_int_equal(store_destination(f->store, b, &second), 0);
    assert_false(first.is_default);
    assert_true(second.is_default);
}

static int seen_job(StoreTx *tx, void *userdata) {
    const Destination *d = userdata;
    return tx_destination_seen(tx, d->id, d->host, d->port, KEY);
}

static void a_key_that_was_seen_elsewhere_is_not_kept(void **state) {
    Fixture *f = *state;
    _cleanup_destination_ Destination d = destination_of("a"), back = { 0 }, again = { 0 };

    assert_int_equal(put(f->store, &d), 0);
    d.port = 2222;
    assert_int_equal(store_write_wait(f->store, seen_job, &d), 0);
    assert_int_equal(store_destination(f->store, d.id, &back), 0);
    assert_string_equal(back.seen_key, "");
    d.port = 22;
    assert_int_equal(store_write_wait(f->store, seen_job, &d), 0);
    assert_int_equal(store_destination(f->store, d.id, &again), 0);
    assert_string_equal(again.seen_key, KEY);
}

static int fill_destinations_job(StoreTx *tx, void *userdata) {
    Destination *d = userdata;
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < STORE_DESTINATIONS_MAX; i++) {
        d->id = 0;
        snprintf(d->name, sizeof(d->name), "n%u", i);
        r = tx_destination_put(tx, d);
    }
    return r;
}

static int count_destination(const Destination *d, void *userdata) {
    ++*(unsigned *) userdata;
    return 0;
}

static void there_is_a_limit(void **state) {
    Fixture *f = *state;
    _cleanup_destination_ Destination d = destination_of("x"), more = destination_of("more");
    unsigned n = 0;
    uint64_t all = 0;

    assert_int_equal(store_write_wait(f->store, fill_destinations_job, &d), 0);
    assert_int_equal(put(f->store, &more), -EDQUOT);
    assert_int_equal(put(f->store, &d), 0); /* a change needs no room */
    assert_int_equal(store_list_destinations(f->store, 10, STORE_DESTINATIONS_MAX - 3, count_destination, &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(store_count_destinations(f->store, &all), 0);
    assert_int_equal(all, STORE_DESTINATIONS_MAX);
}

static int renew(const char *token, char **ret_token, void *userdata) {
    ++*(unsigned *) userdata;
    if (streq(token, "token-1"))
        *ret_token = strdup("token-2");
    return 0;
}

static int rotate_job(StoreTx *tx, void *userdata) {
    return tx_rotate_secrets(tx, renew, userdata);
}

static void every_secret_is_met(void **state) {
    Fixture *f = *state;
    _cleanup_destination_ Destination a = destination_of("a"), b = destination_of("b"), first = { 0 }, second = { 0 };
    unsigned met = 0;

    b.ssh_key = b.password;
    b.password = NULL;
    assert_int_equal(put(f->store, &a), 0);
    assert_int_equal(put(f->store, &b), 0);
    assert_int_equal(store_write_wait(f->store, rotate_job, &met), 0);
    assert_int_equal(met, 2);
    assert_int_equal(store_destination(f->store, a.id, &first), 0);
    assert_int_equal(store_destination(f->store, b.id, &second), 0);
    assert_string_equal(first.password, "token-2");
    assert_string_equal(second.ssh_key, "token-2");
    assert_null(second.password);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_come_back_as_they_were, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(names_are_unique, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_number_is_never_used_twice, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_is_the_default_one, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_key_that_was_seen_elsewhere_is_not_kept, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(there_is_a_limit, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(every_secret_is_met, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
