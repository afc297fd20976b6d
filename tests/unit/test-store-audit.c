/* The trail: what goes in comes back newest first, filtered and by the page; each kind of row has its share, and all have an age. */
#include "store-fixture.h"

#include "basic/strings.h"

#define DAYS(n) ((n) * INT64_C(86400))

static const AuditKeep keep = { .rows = 1000, .seconds = DAYS(400) };

typedef struct AuditJob {
    AuditRow row;
    unsigned n;
} AuditJob;

static int audit_job(StoreTx *tx, void *userdata) {
    AuditJob *job = userdata;
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < job->n; i++)
        r = tx_audit(tx, &job->row, &keep);
    return r;
}

static void audit(Store *s, int64_t at, AuditKind kind, const char *target, unsigned n) {
    AuditJob job = { { .at = at, .actor = "unix:root", .address = "unix", .action = "POST /auth/login", .target = target, .result = 200, .request_id = "r", .kind = kind },
                     n };
    assert_int_equal(store_write_wait(s, audit_job, &job), 0);
}

typedef struct Seen {
    unsigned n, kinds[AUDIT_KIND_MAX];
    uint64_t first, last, next;
    bool targets_null;
} Seen;

static int see(const AuditRow *row, void *userdata) {
    Seen *seen = userdata;

    assert_string_equal(row->actor, "unix:root");
    assert_int_equal(row->result, 200);
    if (seen->n++ == 0)
        seen->first = row->n;
    else
        assert_true(row->n < seen->last);
    seen->last = row->n;
    seen->kinds[row->kind]++;
    seen->targets_null = !row->target;
    return 0;
}

static Seen look(Store *s, AuditFilter filter, size_t limit) {
    Seen seen = { 0 };

    assert_int_equal(store_list_audit(s, &filter, limit, see, &seen, &seen.next), 0);
    return seen;
}

/* As a client would: from page to page to the end. */
static Seen look_through(Store *s, AuditFilter filter, size_t limit) {
    Seen all = { 0 };

    do {
        assert_int_equal(store_list_audit(s, &filter, limit, see, &all, &all.next), 0);
        filter.before_n = all.next;
    } while (all.next != 0);
    return all;
}

static void the_trail_is_read_backwards(void **state) {
    Fixture *f = *state;

    audit(f->store, START, AUDIT_CHANGE, NULL, 1);
    audit(f->store, START, AUDIT_REFUSAL, "ana@b.org", 4);
    Seen seen = look(f->store, (AuditFilter) { 0 }, 100);
    assert_int_equal(seen.n, 5);
    assert_int_equal(seen.kinds[AUDIT_REFUSAL], 4);
    assert_true(seen.targets_null);
    assert_int_equal(seen.next, 0);
    Seen page = look(f->store, (AuditFilter) { .before_n = seen.first }, 2);
    assert_int_equal(page.n, 2);
    assert_int_equal(page.first, seen.first - 1);
    assert_int_equal(page.next, page.last);
    page = look(f->store, (AuditFilter) { .before_n = page.next }, 2);
    assert_int_equal(page.n, 2);
    assert_int_equal(page.last, seen.last);
    assert_int_equal(page.next, 0);
}

static void filters_find_across_pages(void **state) {
    Fixture *f = *state;

    audit(f->store, START, AUDIT_CHANGE, "needle", 2);
    for (unsigned kind = 0; kind < AUDIT_KIND_MAX; kind++)
        audit(f->store, START + 10, kind, "hay", 900);
    audit(f->store, START + 20, AUDIT_CHANGE, "needle", 1);
    assert_int_equal(look_through(f->store, (AuditFilter) { .target = "needle" }, 2).n, 3);
    assert_int_equal(look_through(f->store, (AuditFilter) { .target = "needle" }, 1).n, 3);
    assert_int_equal(look_through(f->store, (AuditFilter) { .target = "nobody" }, 1).n, 0);
    assert_int_equal(look_through(f->store, (AuditFilter) { .since = START + 20 }, 10).n, 1);
    assert_int_equal(look_through(f->store, (AuditFilter) { .until = START + 9 }, 10).n, 2);
    assert_int_equal(look_through(f->store, (AuditFilter) { .since = START + 10, .until = START + 19 }, 100).n, AUDIT_KIND_MAX * 900);
}

/* A share larger than what one reading looks at. */
static int much_job(StoreTx *tx, void *userdata) {
    static const AuditKeep much = { .rows = 100000, .seconds = DAYS(400) };
    AuditJob *job = userdata;
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < job->n; i++)
        r = tx_audit(tx, &job->row, &much);
    return r;
}

static void one_reading_looks_at_so_many_rows_and_says_where_to_go_on(void **state) {
    Fixture *f = *state;
    AuditJob hay = { { .at = START, .actor = "unix:root", .address = "unix", .action = "a", .target = "hay", .result = 200, .request_id = "r" }, STORE_AUDIT_LOOK_MAX };

    audit(f->store, START, AUDIT_CHANGE, "needle", 1);
    assert_int_equal(store_write_wait(f->store, much_job, &hay), 0);
    Seen seen = look(f->store, (AuditFilter) { .target = "needle" }, 10);
    assert_int_equal(seen.n, 0);
    assert_int_equal(seen.next, 2);
    seen = look(f->store, (AuditFilter) { .target = "needle", .before_n = seen.next }, 10);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.next, 0);
}

static void each_kind_has_its_share(void **state) {
    Fixture *f = *state;

    audit(f->store, START, AUDIT_CHANGE, "x", 5);
    audit(f->store, START, AUDIT_REFUSAL, "x", 1010);
    audit(f->store, START, AUDIT_VISIT, "x", 3);
    Seen seen = look(f->store, (AuditFilter) { 0 }, 5000);
    assert_int_equal(seen.kinds[AUDIT_CHANGE], 5); /* the oldest of all */
    assert_int_equal(seen.kinds[AUDIT_REFUSAL], 1000);
    assert_int_equal(seen.kinds[AUDIT_VISIT], 3);
    audit(f->store, START, AUDIT_CHANGE, "x", 1000);
    seen = look(f->store, (AuditFilter) { 0 }, 5000);
    assert_int_equal(seen.kinds[AUDIT_CHANGE], 1000);
    assert_int_equal(seen.kinds[AUDIT_VISIT], 3);
}

static void the_trail_has_an_age(void **state) {
    Fixture *f = *state;

    audit(f->store, START, AUDIT_CHANGE, "x", 20);
    audit(f->store, START + keep.seconds, AUDIT_CHANGE, "y", 1);
    assert_int_equal(look(f->store, (AuditFilter) { 0 }, 5000).n, 21); /* not a second before */
    audit(f->store, START + keep.seconds + 1, AUDIT_VISIT, "y", 3);
    assert_int_equal(look(f->store, (AuditFilter) { 0 }, 5000).n, 4); /* eight with each new row, until none is left */
    audit(f->store, START + keep.seconds + 2, AUDIT_REFUSAL, "y", 1000);
    assert_int_equal(look(f->store, (AuditFilter) { .target = "y" }, 5000).n, 1004);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
    static const struct CMUnitTest tests[] = {
        STORE_TEST(the_trail_is_read_backwards),
        STORE_TEST(filters_find_across_pages),
        STORE_TEST(one_reading_looks_at_so_many_rows_and_says_where_to_go_on),
        STORE_TEST(each_kind_has_its_share),
        STORE_TEST(the_trail_has_an_age),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
