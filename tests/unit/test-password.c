/* Passwords, hashes, digests, UUIDs. */
#include "crypto/password.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <cmocka.h>

static bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Every character is used about equally often: 62,000 × 20 draws, 20,000 expected of each, 6 standard deviations allowed. */
static void generated_evenly(void **state) {
    unsigned seen[256] = { 0 };
    char password[PASSWORD_LENGTH + 1], before[PASSWORD_LENGTH + 1] = "";

    for (int i = 0; i < 62000; i++) {
        password_generate(password);
        assert_int_equal(strlen(password), PASSWORD_LENGTH);
        assert_string_not_equal(password, before);
        strcpy(before, password);
        for (const char *p = password; *p; p++)
            seen[(unsigned char) *p]++;
    }
    for (int c = 0; c < 256; c++) {
        if (!is_alnum((char) c))
            assert_int_equal(seen[c], 0);
        else
            assert_in_range(seen[c], 20000 - 850, 20000 + 850);
    }
}

static void hashes(void **state) {
    char hash[PASSWORD_HASH_SIZE], again[PASSWORD_HASH_SIZE];

    assert_int_equal(password_hash("secret", hash), 0);
    assert_int_equal(password_hash("secret", again), 0);
    assert_true(has_prefix(hash, "$argon2id$"));
    assert_string_not_equal(hash, again); /* salted */
    assert_true(password_verify(hash, "secret"));
    assert_true(password_verify(again, "secret"));
    assert_false(password_verify(hash, "Secret"));
    assert_false(password_verify(hash, ""));
    assert_false(password_verify(hash, "secret "));
}

static void strange_hashes_open_nothing(void **state) {
    static const char *const cases[] = { "", "secret", "$argon2id$", "$1$abc$def", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", "*" };
    char long_one[5000];

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        assert_false(password_verify(cases[i], "secret"));
        assert_false(password_verify(cases[i], ""));
    }
    memset(long_one, '$', sizeof(long_one) - 1);
    long_one[sizeof(long_one) - 1] = '\0';
    assert_false(password_verify(long_one, "secret"));
}

static void costs_of_hashes(void **state) {
#define SALT "8bgc+I8dWairlMe7M7XZiQ"
#define DIGEST "K9teiAPqEdtCzNMDJ8B8Ug2IMIphA8Xms9kB8l466mI"
    static const struct {
        const char *hash;
        int result;
        PasswordCost cost;
    } cases[] = {
        { "$argon2id$v=19$m=8,t=1,p=1$" SALT "$" DIGEST, 0, { 8, 1 } },
        { "$argon2id$v=19$m=512,t=8,p=1$" SALT "$" DIGEST, 0, { 512, 8 } },
        { "$argon2id$v=19$m=513,t=8,p=1$" SALT "$" DIGEST, -E2BIG, { 513, 8 } },
        { "$argon2id$v=19$m=65536,t=4,p=1$" SALT "$" DIGEST, -E2BIG, { 65536, 4 } },
        { "$argon2id$v=19$m=4294967295,t=4294967295,p=1$" SALT "$" DIGEST, -E2BIG, { UINT32_MAX, UINT32_MAX } },
        { "$argon2id$v=19$m=4294967296,t=1,p=1$" SALT "$" DIGEST, -EINVAL, { 0 } },
        { "$argon2id$v=19$m=99999999999999999999999,t=1,p=1$" SALT "$" DIGEST, -EINVAL, { 0 } },
        { "$argon2id$v=16$m=8,t=1,p=1$" SALT "$" DIGEST, -EINVAL, { 0 } },
        { "$argon2id$v=19$m=8,t=1,p=2$" SALT "$" DIGEST, -EINVAL, { 0 } },
        { "$argon2id$v=19$m=7,t=1,p=1$" SALT "$" DIGEST, -EINVAL, { 0 } },
        { "$argon2id$v=19$m=8,t=0,p=1$" SALT "$" DIGEST, -EINVAL, { 0 } },
        { "$argon2id$v=19$m=,t=1,p=1$" SALT "$" DIGEST, -EINVAL, { 0 } },
        { "$argon2id$v=19$m=-8,t=1,p=1$" SALT "$" DIGEST, -EINVAL, { 0 } },
        { "$argon2id$v=19$m=8,t=1,p=1$" SALT "$" DIGEST "=", -EINVAL, { 0 } },
        { "$argon2id$v=19$m=8,t=1,p=1$" SALT "$short", -EINVAL, { 0 } },
        { "$argon2id$v=19$m=8,t=1,p=1$a$" DIGEST, -EINVAL, { 0 } },
        { "$argon2id$v=19$m=8,t=1,p=1$" SALT, -EINVAL, { 0 } },
        { "$argon2i$v=19$m=8,t=3,p=1$" SALT "$" DIGEST, -EINVAL, { 0 } },
        { "$6$salt$digest", -EINVAL, { 0 } },
        { "", -EINVAL, { 0 } },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        PasswordCost cost = { 0 };
        assert_int_equal(password_hash_check(cases[i].hash, &cost), cases[i].result);
        assert_int_equal(cost.kib, cases[i].cost.kib);
        assert_int_equal(cost.passes, cases[i].cost.passes);
    }
}

static void hashes_at_a_cost(void **state) {
    static const PasswordCost costs[] = { PASSWORD_COST_PERSON, { 8, 1 }, { 64, 3 } };

    for (size_t i = 0; i < ELEMENTS(costs); i++) {
        char hash[PASSWORD_HASH_SIZE];
        PasswordCost cost;
        assert_int_equal(password_hash_at("12345", costs[i], hash), 0);
        assert_int_equal(password_hash_check(hash, &cost), 0);
        assert_int_equal(cost.kib, costs[i].kib);
        assert_int_equal(cost.passes, costs[i].passes);
        assert_true(password_verify(hash, "12345"));
        assert_false(password_verify(hash, "1234"));
    }
}

/* An unknown account takes as long as a wrong password: same work, so medians of many within a factor of two. */
static uint64_t time_of(const char *hash) {
    uint64_t before = monotonic_ms();
    for (int i = 0; i < 3000; i++)
        assert_false(password_verify(hash, "wrong"));
    return monotonic_ms() - before + 1;
}

static void unknown_accounts_take_as_long(void **state) {
    char hash[PASSWORD_HASH_SIZE];
    uint64_t known, unknown;
    int tries = 5;

    assert_int_equal(password_hash("secret", hash), 0);
    do { /* another process may have had the core */
        known = time_of(hash);
        unknown = time_of(NULL);
    } while ((known > 2 * unknown || unknown > 2 * known) && --tries > 0);
    assert_true(tries > 0);
    assert_false(password_verify(NULL, ""));
}

static uint64_t cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static uint64_t work_for_user(const char *hash) {
    uint64_t before = cpu_us();
    assert_false(password_verify_user(hash, "wrong"));
    return cpu_us() - before;
}

/* By the CPU it costs, which other processes don't change much. */
static void unknown_users_are_as_much_work(void **state) {
    char hash[PASSWORD_HASH_SIZE];
    PasswordCost cost = { 0 };
    uint64_t known, unknown;
    int tries = 5;

    assert_int_equal(password_hash_user("a long secret", hash), 0);
    assert_int_equal(password_hash_check(hash, &cost), -E2BIG); /* far too dear for a loop */
    assert_int_equal(cost.kib, PASSWORD_COST_USER.kib);
    assert_int_equal(cost.passes, PASSWORD_COST_USER.passes);
    assert_true(password_verify_user(hash, "a long secret"));
    do {
        known = work_for_user(hash);
        unknown = work_for_user(NULL);
    } while ((known > 3 * unknown / 2 || unknown > 3 * known / 2) && --tries > 0);
    assert_true(tries > 0);
    assert_false(password_verify_user(NULL, ""));
}

static void tokens_differ(void **state) {
    char a[RANDOM_TOKEN_SIZE], b[RANDOM_TOKEN_SIZE];

    random_token(a);
    random_token(b);
    assert_int_equal(strlen(a), RANDOM_TOKEN_SIZE - 1);
    assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), RANDOM_TOKEN_SIZE - 1);
    assert_string_not_equal(a, b);
}

static void digests(void **state) {
    uint8_t digest[32];
    char hex[65];

    sha256("abc", 3, digest); /* FIPS 180-4 */
    hex_encode(digest, sizeof(digest), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256("", 0, digest);
    hex_encode(digest, sizeof(digest), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_true(equal_constant_time("abc", "abd", 2));
    assert_false(equal_constant_time("abc", "abd", 3));
    assert_true(equal_constant_time("a", "b", 0));
}

static void uuids(void **state) {
    char before[37] = "";

    for (int i = 0; i < 1000; i++) {
        char uuid[37];
        uuid4(uuid);
        assert_int_equal(strlen(uuid), 36);
        assert_int_equal(strspn(uuid, "0123456789abcdef-"), 36);
        assert_true(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-');
        assert_int_equal(uuid[14], '4');
        assert_non_null(strchr("89ab", uuid[19]));
        assert_string_not_equal(uuid, before);
        strcpy(before, uuid);
    }
}

static int start(void **state) {
    return crypto_init();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_evenly), cmocka_unit_test(hashes),  cmocka_unit_test(strange_hashes_open_nothing),
        cmocka_unit_test(costs_of_hashes), cmocka_unit_test(hashes_at_a_cost),
        cmocka_unit_test(unknown_accounts_take_as_long), cmocka_unit_test(unknown_users_are_as_much_work),
        cmocka_unit_test(tokens_differ), cmocka_unit_test(digests), cmocka_unit_test(uuids),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
