/* Accounts: names for ever, passwords that come and go, keys that are changed in one transaction. */
#include "store-fixture.h"

#include "basic/strings.h"

static int clear_job(StoreTx *tx, void *userdata) {
    return tx_account_clear(tx, userdata, false);
}

static void account_comes_and_goes_under_one_name(void **state) {
    Fixture *f = *state;
    _cleanup_account_ Account a = { 0 }, gone = { 0 }, back = { 0 };

    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@b.org", "hash-1", "token-1"), 0);
    assert_int_equal(store_account_by_name(f->store, "ftp_ana_abcd", &a), 0);
    assert_string_equal(a.email, "ana@b.org");
    assert_string_equal(a.hash, "hash-1");
    assert_string_equal(a.token, "token-1");
    assert_int_equal(a.created, START);
    assert_false(a.foreign);
    assert_int_equal(store_write_wait(f->store, clear_job, (char[]) { "ftp_ana_abcd" }), 0);
    assert_int_equal(store_account_by_email(f->store, "ana@b.org", &gone), 0);
    assert_string_equal(gone.name, "ftp_ana_abcd");
    assert_null(gone.hash);
    assert_null(gone.token);
    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@b.org", "hash-2", "token-2"), 0);
    assert_int_equal(store_account_by_email(f->store, "ana@b.org", &back), 0);
    assert_string_equal(back.token, "token-2");
    assert_int_equal(store_account_by_email(f->store, "nobody@b.org", &(Account) { 0 }), -ENOENT);
    assert_int_equal(store_account_by_name(f->store, "ftp_nobody_abcd", &(Account) { 0 }), -ENOENT);
    assert_int_equal(store_write_wait(f->store, clear_job, (char[]) { "ftp_nobody_abcd" }), -ENOENT);
}

static void name_belongs_to_one_address(void **state) {
    Fixture *f = *state;
    _cleanup_account_ Account a = { 0 };

    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@b.org", "hash", "token"), 0);
    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@other.org", "theirs", "theirs"), -EEXIST);
    assert_int_equal(put_account(f->store, "ftp_ana_abcde", "ana@b.org", "theirs", "theirs"), -ENOTUNIQ);
    assert_int_equal(put_account(f->store, "ftp_ana_abcde", "ana@other.org", "second", "second"), 0);
    assert_int_equal(store_account_by_name(f->store, "ftp_ana_abcd", &a), 0);
    assert_string_equal(a.email, "ana@b.org");
    assert_string_equal(a.token, "token");
}

typedef struct Uses {
    const char *name;
    uint64_t n;
} Uses;

static int uses_job(StoreTx *tx, void *userdata) {
    Uses *u = userdata;
    return tx_account_uses(tx, u->name, &u->n);
}

static uint64_t uses(Store *s, const char *name) {
    Uses u = { .name = name, .n = UINT64_MAX };

    assert_int_equal(store_write_wait(s, uses_job, &u), 0);
    return u.n;
}

static void assert_access(Store *s, int64_t expires, bool blocked) {
    bool is_blocked;
    int64_t end;

    assert_int_equal(store_account_access(s, "ftp_ana_abcd", &end, &is_blocked), 0);
    assert_int_equal(end, expires);
    assert_int_equal(is_blocked, blocked);
}

static void access_follows_the_requests(void **state) {
    Fixture *f = *state;
    _cleanup_request_ Request first = { 0 }, second = { 0 };

    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@b.org", "hash", "token"), 0);
    assert_access(f->store, 0, false);
    assert_int_equal(insert(f->store, "first", "ana@b.org", &first), 0);
    assert_int_equal(insert(f->store, "second", "ana@b.org", &second), 0);
    snprintf(first.account, sizeof(first.account), "ftp_ana_abcd");
    snprintf(second.account, sizeof(second.account), "ftp_ana_abcd");
    move_to_listo(f->store, &first, START + 500);
    assert_access(f->store, START + 500, false);
    move_to_listo(f->store, &second, START + 300);
    assert_access(f->store, START + 500, false);
    assert_int_equal(uses(f->store, "ftp_ana_abcd"), 2);
    assert_int_equal(move(f->store, &first, STATE_BLOQUEADO, NULL), 0);
    assert_access(f->store, START + 300, true);
    assert_int_equal(uses(f->store, "ftp_ana_abcd"), 2);
    assert_int_equal(move(f->store, &second, STATE_EXPIRADO, NULL), 0);
    assert_access(f->store, 0, true);
    assert_int_equal(move(f->store, &first, STATE_ELIMINADO, NULL), 0);
    assert_access(f->store, 0, false);
    assert_int_equal(uses(f->store, "ftp_ana_abcd"), 0);
}

typedef struct Rotation {
    unsigned seen;
    const char *stop_at;
} Rotation;

static int rotate(const Account *a, char **ret_token, void *userdata) {
    Rotation *r = userdata;
    char text[64];

    r->seen++;
    if (r->stop_at && streq(a->name, r->stop_at))
        return -EBADMSG;
    if (has_prefix(a->token, "new"))
        return 0;
    snprintf(text, sizeof(text), "new-%s", a->token);
    *ret_token = strdup(text);
    return *ret_token ? 0 : -ENOMEM;
}

static int rotate_job(StoreTx *tx, void *userdata) {
    return tx_rotate_tokens(tx, rotate, userdata);
}

static int append_token(const Account *a, void *userdata) {
    char *text = userdata;
    size_t length = strlen(text);

    snprintf(text + length, 256 - length, "%s=%s ", a->name, a->token ? a->token : "-");
    return 0;
}

static void assert_tokens(Store *s, const char *expected) {
    char text[256] = "";

    assert_int_equal(store_list_accounts(s, append_token, text), 0);
    assert_string_equal(text, expected);
}

static void keys_change_all_or_nothing(void **state) {
    Fixture *f = *state;
    Rotation stopped = { .stop_at = "c" }, whole = { 0 };

    assert_int_equal(put_account(f->store, "c", "c@b.org", "h", "3"), 0);
    assert_int_equal(put_account(f->store, "a", "a@b.org", "h", "1"), 0);
    assert_int_equal(put_account(f->store, "gone", "g@b.org", NULL, NULL), 0);
    assert_int_equal(put_account(f->store, "b", "b@b.org", "h", "new-2"), 0);
    assert_int_equal(store_write_wait(f->store, rotate_job, &stopped), -EBADMSG);
    assert_tokens(f->store, "a=1 b=new-2 c=3 gone=- ");
    assert_int_equal(store_write_wait(f->store, rotate_job, &whole), 0);
    assert_int_equal(whole.seen, 3);
    assert_tokens(f->store, "a=new-1 b=new-2 c=new-3 gone=- ");
}

typedef struct Drop {
    const char *name;
    uint64_t bytes;
} Drop;

static int put_drop_job(StoreTx *tx, void *userdata) {
    const Drop *d = userdata;
    return tx_drop_put(tx, d->name, d->bytes);
}

static uint64_t drop_of(Store *s, const char *name) {
    uint64_t bytes = UINT64_MAX;

    assert_int_equal(store_drop(s, name, &bytes), 0);
    return bytes;
}

static void drop_goes_with_its_account(void **state) {
    Fixture *f = *state;
    Drop d = { "ftp_ana_abcd", 5000 }, none = { "ftp_ana_abcd", 0 }, nobody = { "ftp_nobody_abcd", 1 }, huge = { "ftp_ana_abcd", UINT64_MAX };

    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@b.org", "hash", "token"), 0);
    assert_int_equal(drop_of(f->store, "ftp_ana_abcd"), 0);
    assert_int_equal(drop_of(f->store, "ftp_nobody_abcd"), 0);
    assert_int_equal(store_write_wait(f->store, put_drop_job, &nobody), -ENOENT);
    assert_int_equal(store_write_wait(f->store, put_drop_job, &huge), -ERANGE);
    assert_int_equal(store_write_wait(f->store, put_drop_job, &d), 0);
    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@b.org", "hash-2", "token-2"), 0); /* a new password changes nothing */
    assert_int_equal(drop_of(f->store, "ftp_ana_abcd"), 5000);
    assert_int_equal(store_write_wait(f->store, put_drop_job, &none), 0);
    assert_int_equal(drop_of(f->store, "ftp_ana_abcd"), 0);
    assert_int_equal(store_write_wait(f->store, put_drop_job, &d), 0);
    assert_int_equal(store_write_wait(f->store, clear_job, (char[]) { "ftp_ana_abcd" }), 0);
    assert_int_equal(put_account(f->store, "ftp_ana_abcd", "ana@b.org", "hash", "token"), 0);
    assert_int_equal(drop_of(f->store, "ftp_ana_abcd"), 0); /* gone and back: inherits nothing */
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(account_comes_and_goes_under_one_name),
        STORE_TEST(name_belongs_to_one_address),
        STORE_TEST(access_follows_the_requests),
        STORE_TEST(keys_change_all_or_nothing),
        STORE_TEST(drop_goes_with_its_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
