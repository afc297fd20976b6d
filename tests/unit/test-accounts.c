/* The account back ends: idempotent, and honest about what they made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/backend.h"
#include "basic/strings.h"

static int (*const makers[])(AccountBackend **) = { account_backend_embedded_new, account_backend_simulated_new };

static const AccountWish wish = { .name = "ftp_ana_abcd", .home = "/data/ftp_ana_abcd", .uid = 2001, .gid = 2001, .expires = 1700000000, .enabled = true };

static void new_account_gets_a_password(void **state) {
    for (size_t i = 0; i < ELEMENTS(makers); i++) {
        _cleanup_(account_backend_freep) AccountBackend *b = NULL;
        AccountGrant first = { 0 }, second = { 0 };
        AccountTrouble trouble = { 0 };

        assert_int_equal(makers[i](&b), 0);
        assert_int_equal(b->v->prepare(b, &wish, &first, &trouble), 0);
        assert_int_equal(b->v->prepare(b, &wish, &second, &trouble), 0);
        assert_false(first.kept || first.foreign);
        assert_int_equal(strlen(first.password), PASSWORD_LENGTH);
        assert_true(first.hash[0] != '\0'); /* an empty one would be stored as "gone" */
        assert_string_not_equal(first.password, second.password);
    }
}

static void embedded_hash_opens_with_its_password_only(void **state) {
    _cleanup_(account_backend_freep) AccountBackend *b = NULL;
    AccountGrant grant = { 0 };
    AccountTrouble trouble = { 0 };

    assert_int_equal(account_backend_embedded_new(&b), 0);
    assert_int_equal(b->v->prepare(b, &wish, &grant, &trouble), 0);
    assert_true(password_verify(grant.hash, grant.password));
    assert_false(password_verify(grant.hash, "another"));
}

static void simulated_account_never_logs_in(void **state) {
    _cleanup_(account_backend_freep) AccountBackend *b = NULL;
    AccountGrant grant = { 0 };
    AccountTrouble trouble = { 0 };

    assert_int_equal(account_backend_simulated_new(&b), 0);
    assert_int_equal(b->v->prepare(b, &wish, &grant, &trouble), 0);
    assert_false(password_verify(grant.hash, grant.password));
}

static void account_that_is_there_keeps_its_password(void **state) {
    for (size_t i = 0; i < ELEMENTS(makers); i++) {
        _cleanup_(account_backend_freep) AccountBackend *b = NULL;
        AccountGrant grant = { .hash = "untouched" };
        AccountTrouble trouble = { 0 };
        AccountWish known = wish;

        assert_int_equal(makers[i](&b), 0);
        known.known_hash = "$argon2id$…";
        known.token_held = true;
        assert_int_equal(b->v->prepare(b, &known, &grant, &trouble), 0);
        assert_true(grant.kept);
        assert_string_equal(grant.password, "");
        known.token_held = false; /* a hash whose password nobody can tell any more */
        assert_int_equal(b->v->prepare(b, &known, &grant, &trouble), 0);
        assert_false(grant.kept);
        assert_int_equal(strlen(grant.password), PASSWORD_LENGTH);
        known.known_hash = NULL; /* gone and back */
        known.token_held = true;
        assert_int_equal(b->v->prepare(b, &known, &grant, &trouble), 0);
        assert_false(grant.kept);
    }
}

static int fail_walk(const AccountRow *row, void *userdata) {
    fail();
    return -1;
}

static void nothing_lives_outside_our_database(void **state) {
    for (size_t i = 0; i < ELEMENTS(makers); i++) {
        _cleanup_(account_backend_freep) AccountBackend *b = NULL;
        AccountTrouble trouble = { 0 };
        bool changed = true;

        assert_int_equal(makers[i](&b), 0);
        assert_int_equal(b->v->ensure(b, &wish, &changed, &trouble), 0);
        assert_false(changed);
        changed = true;
        assert_int_equal(b->v->set_access(b, &wish, &changed, &trouble), 0);
        assert_false(changed);
        assert_int_equal(b->v->remove(b, &wish, &trouble), 0);
        assert_int_equal(b->v->remove(b, &wish, &trouble), 0);
        assert_int_equal(b->v->list(b, fail_walk, NULL, &trouble), 0);
        assert_int_equal(b->v->probe(b, &trouble), 0);
        assert_int_equal(trouble.kind, TROUBLE_NONE);
    }
}

static int setup(void **state) {
    return crypto_init();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_account_gets_a_password),
        cmocka_unit_test(embedded_hash_opens_with_its_password_only),
        cmocka_unit_test(simulated_account_never_logs_in),
        cmocka_unit_test(account_that_is_there_keeps_its_password),
        cmocka_unit_test(nothing_lives_outside_our_database),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
