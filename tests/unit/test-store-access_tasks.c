/* What the account back end is still to be told: kept until the latest change has been told, and what that is follows from the requests. */
#include "store-fixture.h"

#include "basic/strings.h"

typedef struct AccessJob {
    const char *account;
    int64_t now;
    uint64_t n;
    bool keep;
    AccountWanted wanted;
} AccessJob;

static int put_task_job(StoreTx *tx, void *userdata) {
    AccessJob *j = userdata;
    return tx_access_task_put(tx, j->account, j->now, &j->n);
}

static int done_job(StoreTx *tx, void *userdata) {
    AccessJob *j = userdata;
    return tx_access_task_done(tx, j->account, j->n);
}

static int clear_job(StoreTx *tx, void *userdata) {
    AccessJob *j = userdata;
    return tx_account_clear(tx, j->account, j->keep);
}

static int append(const AccessTask *t, void *userdata) {
    char *text = userdata;
    size_t length = strlen(text);

    snprintf(text + length, 256 - length, "%s/%u/%+d ", t->account, (unsigned) t->n, (int) (t->since - START));
    return 0;
}

static void assert_tasks(Store *s, const char *after, size_t limit, const char *expected) {
    char text[256] = "";

    assert_int_equal(store_list_access_tasks(s, after, limit, append, text), 0);
    assert_string_equal(text, expected);
}

static void task_stays_until_its_last_change_is_told(void **state) {
    Fixture *f = *state;
    AccessJob first = { .account = "ftp_ana_abcd", .now = START }, second = { .account = "ftp_ana_abcd", .now = START + 9 };
    AccessTask task;
    uint64_t n = 7;
    int64_t since = 7;

    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@b.org", "hash", "token"), 0);
    assert_int_equal(store_access_task(f->store, "ftp_ana_abcd", &task), -ENOENT);
    assert_int_equal(store_count_access_tasks(f->store, &n, &since), 0);
    assert_int_equal(n, 0);
    assert_int_equal(since, 0);
    assert_int_equal(store_write_wait(f->store, put_task_job, &first), 0);
    assert_int_equal(store_write_wait(f->store, put_task_job, &second), 0);
    assert_int_not_equal(first.n, second.n);
    assert_int_equal(store_write_wait(f->store, done_job, &first), 0); /* what it told is older than the second change */
    fixture_reopen(f);
    assert_int_equal(store_access_task(f->store, "ftp_ana_abcd", &task), 0);
    assert_int_equal(task.n, second.n);
    assert_int_equal(task.since, START);
    assert_int_equal(store_count_access_tasks(f->store, &n, &since), 0);
    assert_int_equal(n, 1);
    assert_int_equal(since, START);
    assert_int_equal(store_write_wait(f->store, done_job, &second), 0);
    assert_int_equal(store_write_wait(f->store, done_job, &second), 0); /* done is done */
    assert_tasks(f->store, "", 10, "");
}

static void tasks_are_read_a_few_at_a_time(void **state) {
    static const char *const names[] = { "ftp_c_abcd", "ftp_a_abcd", "ftp_b_abcd" };
    Fixture *f = *state;

    for (size_t i = 0; i < ELEMENTS(names); i++) {
        AccessJob j = { .account = names[i], .now = START + (int64_t) i };
        char email[64];

        snprintf(email, sizeof(email), "%s@b.org", names[i]);
        assert_int_equal(put_account(f->store, names[i], email, "hash", "token"), 0);
        assert_int_equal(store_write_wait(f->store, put_task_job, &j), 0);
    }
    assert_tasks(f->store, "", 2, "ftp_a_abcd/1/+1 ftp_b_abcd/1/+2 ");
    assert_tasks(f->store, "ftp_b_abcd", 2, "ftp_c_abcd/1/+0 ");
    assert_int_equal(store_write_wait(f->store, put_task_job, &(AccessJob) { .account = "ftp_nobody_abcd" }), -EINVAL);
}

static int wanted_job(StoreTx *tx, void *userdata) {
    AccessJob *j = userdata;
    return tx_account_wanted(tx, j->account, &j->wanted);
}

static void assert_wanted(Store *s, bool used, bool enabled, int64_t expires) {
    AccessJob j = { .account = "ftp_ana_abcd" };
    AccountWanted wanted;

    assert_int_equal(store_account_wanted(s, "ftp_ana_abcd", &wanted), 0);
    assert_int_equal(wanted.used, used);
    assert_int_equal(wanted.enabled, enabled);
    assert_int_equal(wanted.expires, expires);
    assert_int_equal(store_write_wait(s, wanted_job, &j), 0);
    assert_memory_equal(&j.wanted, &wanted, sizeof(wanted));
}

static void what_is_wanted_follows_the_requests(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request first = { 0 }, second = { 0 };

    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@b.org", "hash", "token"), 0);
    assert_wanted(f->store, false, false, 0);
    assert_int_equal(insert(f->store, "first", "ana@b.org", &first), 0);
    assert_int_equal(insert(f->store, "second", "ana@b.org", &second), 0);
    snprintf(first.account, sizeof(first.account), "ftp_ana_abcd");
    snprintf(second.account, sizeof(second.account), "ftp_ana_abcd");
    move_to_listo(f->store, &first, START + 500);
    move_to_listo(f->store, &second, START + 300);
    assert_wanted(f->store, true, true, START + 500);
    assert_int_equal(move(f->store, &first, STATE_BLOQUEADO, NULL), 0);
    assert_wanted(f->store, true, true, START + 300); /* a blocked one gives nobody longer access */
    assert_int_equal(move(f->store, &second, STATE_BLOQUEADO, NULL), 0);
    assert_wanted(f->store, true, false, START + 500);
    assert_int_equal(move(f->store, &first, STATE_EXPIRADO, NULL), 0);
    assert_int_equal(move(f->store, &second, STATE_ELIMINADO, NULL), 0);
    assert_wanted(f->store, false, false, 0);
}

static void account_is_awaited_by_a_whole_copy(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };

    assert_int_equal(insert(f->store, "a", "ana@b.org", &r), 0);
    assert_int_equal(move(f->store, &r, STATE_PREPARANDO, NULL), 0);
    assert_int_equal(move(f->store, &r, STATE_TRASLADO, NULL), 0);
    assert_int_equal(store_account_is_awaited(f->store, "ana@b.org"), 0);
    r.copied = true;
    assert_int_equal(move(f->store, &r, STATE_MAX, NULL), 0);
    assert_int_equal(store_account_is_awaited(f->store, "ana@b.org"), 1);
    assert_int_equal(store_account_is_awaited(f->store, "other@b.org"), 0);
    assert_int_equal(move(f->store, &r, STATE_ELIMINADO, NULL), 0);
    assert_int_equal(store_account_is_awaited(f->store, "ana@b.org"), 0);
}

static int append_wanted(const Account *a, const AccountWanted *wanted, void *userdata) {
    char *text = userdata;
    size_t length = strlen(text);

    snprintf(text + length, 256 - length, "%s:%s:%d ", a->name, a->hash ? a->hash : "-", wanted->used);
    return 0;
}

static int list_wanted_job(StoreTx *tx, void *userdata) {
    return tx_list_wanted(tx, append_wanted, userdata);
}

static void accounts_that_are_gone_may_keep_their_hash(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request r = { 0 };
    AccessJob kept = { .account = "ftp_b_abcd", .keep = true }, forgotten = { .account = "ftp_c_abcd" };
    _cleanup_account_ Account account = { 0 };
    char text[256] = "";

    assert_int_equal(put_account(f->store, "ftp_c_abcd", "c@b.org", "hash-c", "token"), 0);
    assert_int_equal(put_account(f->store, "ftp_a_abcd", "a@b.org", "hash-a", "token"), 0);
    assert_int_equal(put_account(f->store, "ftp_b_abcd", "b@b.org", "hash-b", "token"), 0);
    assert_int_equal(insert(f->store, "a", "a@b.org", &r), 0);
    snprintf(r.account, sizeof(r.account), "ftp_a_abcd");
    move_to_listo(f->store, &r, START + 500);
    assert_int_equal(store_write_wait(f->store, clear_job, &kept), 0);
    assert_int_equal(store_write_wait(f->store, clear_job, &forgotten), 0);
    assert_int_equal(store_write_wait(f->store, list_wanted_job, text), 0);
    assert_string_equal(text, "ftp_a_abcd:hash-a:1 ftp_b_abcd:hash-b:0 ftp_c_abcd:-:0 ");
    assert_int_equal(store_account_by_name(f->store, "ftp_b_abcd", &account), 0);
    assert_null(account.token);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(task_stays_until_its_last_change_is_told),
        STORE_TEST(tasks_are_read_a_few_at_a_time),
        STORE_TEST(what_is_wanted_follows_the_requests),
        STORE_TEST(account_is_awaited_by_a_whole_copy),
        STORE_TEST(accounts_that_are_gone_may_keep_their_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
