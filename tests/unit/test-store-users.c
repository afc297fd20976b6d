/* Users, one-time tokens and the audit trail: what is unique, what is spent once, what has a limit. */
#include "store-fixture.h"

#include "basic/strings.h"

typedef struct UserJob {
    User user;
    const char *hash;
    uint64_t n; /* more of them, user0@… and so on */
} UserJob;

static User user_of(const char *email, bool active, int64_t created) {
    User u = { .active = active, .created = created };
    strcpy(u.name, "Ana");
    snprintf(u.email, sizeof(u.email), "%s", email);
    return u;
}

static int insert_user_job(StoreTx *tx, void *userdata) {
    UserJob *job = userdata;
    return tx_user_insert(tx, &job->user, job->hash);
}

static int insert_user(Store *s, const char *email, bool active, int64_t created, User *ret) {
    UserJob job = { .user = user_of(email, active, created), .hash = "hash-1" };
    int r = store_write_wait(s, insert_user_job, &job);
    if (r >= 0)
        *ret = job.user;
    return r;
}

static int update_user_job(StoreTx *tx, void *userdata) {
    UserJob *job = userdata;
    return tx_user_update(tx, &job->user, job->hash);
}

static void users_come_back_as_they_were(void **state) {
    Fixture *f = *state;
    _cleanup_free_ char *hash = NULL, *other = NULL;
    User ana, u, eva;

    assert_int_equal(insert_user(f->store, "ana@b.org", false, START, &ana), 0);
    assert_true(ana.id > 0);
    assert_int_equal(ana.generation, 1);
    fixture_reopen(f);
    assert_int_equal(store_user_by_email(f->store, "ana@b.org", &u), 0);
    assert_int_equal(u.id, ana.id);
    assert_string_equal(u.name, "Ana");
    assert_false(u.active);
    assert_int_equal(u.role, ROLE_USUARIO);
    assert_int_equal(u.created, START);
    assert_int_equal(store_user_hash(f->store, u.id, &hash), 0);
    assert_string_equal(hash, "hash-1");

    u.active = true;
    u.role = ROLE_OPERADOR;
    u.generation++;
    assert_int_equal(store_write_wait(f->store, update_user_job, &(UserJob) { .user = u, .hash = "hash-2" }), 0);
    assert_int_equal(store_user(f->store, ana.id, &u), 0);
    assert_true(u.active && u.role == ROLE_OPERADOR && u.generation == 2);
    assert_int_equal(store_user_hash(f->store, u.id, &other), 0);
    assert_string_equal(other, "hash-2");

    assert_int_equal(insert_user(f->store, "ana@b.org", false, START, &eva), -EEXIST);
    assert_int_equal(store_user(f->store, 99, &u), -ENOENT);
    assert_int_equal(store_user_by_email(f->store, "eva@b.org", &u), -ENOENT);
}

static int fill_job(StoreTx *tx, void *userdata) {
    UserJob *job = userdata;
    int r = 0;

    for (uint64_t i = 0; r >= 0 && i < job->n; i++) {
        snprintf(job->user.email, sizeof(job->user.email), "user%u@b.org", (unsigned) i);
        r = tx_user_insert(tx, &job->user, "hash");
    }
    return r;
}

static int count_user(const User *u, void *userdata) {
    (*(unsigned *) userdata)++;
    return 0;
}

static void strangers_fill_only_a_waiting_room(void **state) {
    Fixture *f = *state;
    User u;
    unsigned n = 0;

    assert_int_equal(store_write_wait(f->store, fill_job, &(UserJob) { .user = user_of("", false, START), .n = STORE_USERS_WAITING_MAX }), 0);
    assert_int_equal(insert_user(f->store, "late@b.org", false, START + 1, &u), -EDQUOT);
    assert_int_equal(insert_user(f->store, "made-by-operator@b.org", true, START + 1, &u), 0);
    /* One that was active once stays, however long it has been switched off since. */
    assert_int_equal(store_user_by_email(f->store, "user0@b.org", &u), 0);
    u.active = true;
    assert_int_equal(store_write_wait(f->store, update_user_job, &(UserJob) { .user = u }), 0);
    u.active = false;
    assert_int_equal(store_write_wait(f->store, update_user_job, &(UserJob) { .user = u }), 0);
    assert_int_equal(insert_user(f->store, "late@b.org", false, START + 1, &u), 0);
    assert_int_equal(insert_user(f->store, "later@b.org", false, START + STORE_USERS_WAITING_SECONDS + 1, &u), 0);
    assert_int_equal(store_list_users(f->store, 0, 10000, count_user, &n), 0);
    assert_int_equal(n, 4); /* user0, made-by-operator, late, later */
    n = 0;
    assert_int_equal(store_list_users(f->store, u.id - 1, 10000, count_user, &n), 0);
    assert_int_equal(n, 1);
}

/* ---- one-time tokens ---- */

#define NOW_MS (START * INT64_C(1000))

typedef struct TokenJob {
    const char *digest;
    uint64_t user;
    int64_t now_ms, expires_ms;
} TokenJob;

static int put_token_job(StoreTx *tx, void *userdata) {
    TokenJob *job = userdata;
    return tx_onetime_put(tx, job->digest, job->user, job->now_ms, job->expires_ms);
}

static int spend_job(StoreTx *tx, void *userdata) {
    TokenJob *job = userdata;
    return tx_onetime_spend(tx, job->digest, job->now_ms, &job->user);
}

static int put_token(Store *s, const char *digest, uint64_t user, int64_t now_ms, int64_t expires_ms) {
    return store_write_wait(s, put_token_job, &(TokenJob) { digest, user, now_ms, expires_ms });
}

static int spend(Store *s, const char *digest, int64_t now_ms) {
    return store_write_wait(s, spend_job, &(TokenJob) { .digest = digest, .now_ms = now_ms });
}

static void a_token_is_spent_once(void **state) {
    Fixture *f = *state;
    User ana;

    assert_int_equal(insert_user(f->store, "ana@b.org", true, START, &ana), 0);
    assert_int_equal(put_token(f->store, "aa", ana.id, NOW_MS, NOW_MS + 10000), 0);
    fixture_reopen(f); /* it outlives the process */
    assert_int_equal(spend(f->store, "bb", NOW_MS), -ENOENT);
    TokenJob job = { .digest = "aa", .now_ms = NOW_MS + 9999 };
    assert_int_equal(store_write_wait(f->store, spend_job, &job), 0);
    assert_int_equal(job.user, ana.id);
    assert_int_equal(spend(f->store, "aa", NOW_MS + 9999), -ENOENT);
}

static void a_token_expires_by_the_clock(void **state) {
    Fixture *f = *state;
    User ana;

    assert_int_equal(insert_user(f->store, "ana@b.org", true, START, &ana), 0);
    assert_int_equal(put_token(f->store, "aa", ana.id, NOW_MS, NOW_MS + 10000), 0);
    assert_int_equal(spend(f->store, "aa", NOW_MS + 10000), -ENOENT);
    assert_int_equal(spend(f->store, "aa", NOW_MS + 9999), 0); /* it had not been taken away by the attempt */
}

typedef struct Race {
    TokenJob job;
    unsigned *done, *won;
} Race;

static int race_job(StoreTx *tx, void *userdata) {
    Race *race = userdata;
    return tx_onetime_spend(tx, race->job.digest, race->job.now_ms, &race->job.user);
}

static void race_done(void *userdata, int r) {
    Race *race = userdata;
    *race->won += r >= 0;
    (*race->done)++;
}

static void of_a_hundred_one_wins(void **state) {
    Fixture *f = *state;
    unsigned done = 0, won = 0;
    Race races[100];
    User ana;

    assert_int_equal(insert_user(f->store, "ana@b.org", true, START, &ana), 0);
    assert_int_equal(put_token(f->store, "aa", ana.id, NOW_MS, NOW_MS + 10000), 0);
    for (size_t i = 0; i < ELEMENTS(races); i++) {
        races[i] = (Race) { .job = { .digest = "aa", .now_ms = NOW_MS }, .done = &done, .won = &won };
        assert_int_equal(store_write(f->store, race_job, race_done, &races[i]), 0);
    }
    dispatch_until(f->store, &done, ELEMENTS(races));
    assert_int_equal(won, 1);
}

static int many_tokens_job(StoreTx *tx, void *userdata) {
    uint64_t user = *(uint64_t *) userdata;
    char digest[16];
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < STORE_ONETIME_PER_USER_MAX; i++) {
        snprintf(digest, sizeof(digest), "%u", i);
        r = tx_onetime_put(tx, digest, user, NOW_MS, NOW_MS + 1000);
    }
    return r;
}

static int forget_job(StoreTx *tx, void *userdata) {
    return tx_onetime_forget(tx, *(uint64_t *) userdata);
}

static void tokens_have_a_number(void **state) {
    Fixture *f = *state;
    User ana, eva;

    assert_int_equal(insert_user(f->store, "ana@b.org", true, START, &ana), 0);
    assert_int_equal(insert_user(f->store, "eva@b.org", true, START, &eva), 0);
    assert_int_equal(store_write_wait(f->store, many_tokens_job, &ana.id), 0);
    assert_int_equal(put_token(f->store, "aa", ana.id, NOW_MS, NOW_MS + 9000), -EDQUOT);
    assert_int_equal(put_token(f->store, "bb", eva.id, NOW_MS, NOW_MS + 9000), 0);
    assert_int_equal(put_token(f->store, "aa", ana.id, NOW_MS + 1000, NOW_MS + 9000), 0); /* the old ones are gone */
    assert_int_equal(store_write_wait(f->store, forget_job, &ana.id), 0);
    assert_int_equal(spend(f->store, "aa", NOW_MS), -ENOENT);
    assert_int_equal(spend(f->store, "bb", NOW_MS), 0);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    static const struct CMUnitTest tests[] = {
        STORE_TEST(users_come_back_as_they_were),
        STORE_TEST(strangers_fill_only_a_waiting_room),
        STORE_TEST(a_token_is_spent_once),
        STORE_TEST(a_token_expires_by_the_clock),
        STORE_TEST(of_a_hundred_one_wins),
        STORE_TEST(tokens_have_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
