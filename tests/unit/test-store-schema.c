/* Tables and statements: from every older version to today's, and no statement that reads a
 * whole table unless it is meant to. */
#include "store-fixture.h"

#include "basic/strings.h"
#include "store/connection.h"
#include "store/schema.h"
#include "store/statements.h"

#include <fcntl.h>

static Connection *open_writer(const char *path) {
    Connection *c = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(connection_open(path, CONNECTION_WRITER, NULL, &c), 0);
    return c;
}

static int64_t integer(Connection *c, const char *sql) {
    sqlite3_stmt *s = NULL;
    int64_t value;

    assert_int_equal(sqlite3_prepare_v2(c->db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return value;
}

/* All tables, indexes and triggers as one text. */
static char *whole_schema(Connection *c) {
    sqlite3_stmt *s = NULL;
    char *text;

    static const char sql[] = "SELECT group_concat(sql, ';') FROM "
                              "(SELECT sql FROM sqlite_schema ORDER BY type, name)";

    assert_int_equal(sqlite3_prepare_v2(c->db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    text = strdup((const char *) sqlite3_column_text(s, 0));
    assert_non_null(text);
    sqlite3_finalize(s);
    return text;
}

/* setup without a store: these tests work below it */
static int folder_setup(void **state) {
    Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    fixture_folder(f);
    *state = f;
    return 0;
}

static void every_older_version_becomes_todays(void **state) {
    Fixture *f = *state;
    _cleanup_free_ char *fresh = NULL;

    for (size_t from = 0; from <= schema_version; from++) {
        _cleanup_free_ char *migrated = NULL;
        _cleanup_request_ Request r = { 0 };
        Connection *c = open_writer(f->path);

        assert_int_equal(schema_migrate(c, schema_migrations, from), 0);
        assert_int_equal(integer(c, "PRAGMA user_version"), (int64_t) from);
        connection_free(c);
        assert_int_equal(store_open(f->path, &f->store), 0);
        assert_int_equal(insert(f->store, "x", "a@b.org", &r), 0);
        f->store = store_free(f->store);
        c = open_writer(f->path);
        assert_int_equal(integer(c, "PRAGMA user_version"), (int64_t) schema_version);
        migrated = whole_schema(c);
        connection_free(c);
        if (!fresh)
            fresh = TAKE_PTR(migrated);
        else
            assert_string_equal(migrated, fresh);
        assert_int_equal(unlink(f->path), 0);
    }
}

static void rows_of_version_1_are_kept(void **state) {
    Fixture *f = *state;
    Connection *c = open_writer(f->path);

    assert_int_equal(schema_migrate(c, schema_migrations, 1), 0);
    assert_int_equal(connection_execute(c, "INSERT INTO accounts (name, email, created) VALUES ('ftp_a_bcde', 'a@b.org', 5);"
                                           "INSERT INTO requests (state, id, email, account, ruta, vigencia, created) "
                                           "VALUES ('expirado', 'x', 'a@b.org', 'ftp_a_bcde', 'h:/x', 5, 5), ('expirado', 'y', 'a@b.org', 'ftp_a_bcde', 'h:/y', 5, 5);"
                                           "INSERT INTO tasks VALUES (1, 'purge', 3, 77), (1, 'revoke', 0, 0), (2, 'revoke', 0, 0)"), 0);
    assert_int_equal(schema_migrate(c, schema_migrations, schema_version), 0);
    assert_int_equal(integer(c, "SELECT sum(tries * 100 + not_before) FROM tasks"), 377);
    assert_int_equal(integer(c, "SELECT count(*) FROM access_tasks WHERE account = 'ftp_a_bcde'"), 1); /* what was a revocation */
    assert_int_equal(integer(c, "SELECT drop_bytes FROM accounts"), 0);
    assert_int_equal(connection_execute(c, "INSERT INTO tasks VALUES (1, 'drop', 0, 0)"), 0);
    connection_free(c);
}

static void migrations_run_once_each_and_keep_rows(void **state) {
    static const char *const steps[] = {
        "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)",
        "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 5",
        "UPDATE t SET b = b + a",
    };
    Fixture *f = *state;
    Connection *c = open_writer(f->path);

    for (size_t to = 1; to <= ELEMENTS(steps); to++)
        for (unsigned again = 0; again < 2; again++) {
            assert_int_equal(schema_migrate(c, steps, to), 0);
            assert_int_equal(integer(c, "PRAGMA user_version"), (int64_t) to);
        }
    assert_int_equal(integer(c, "SELECT b FROM t"), 6);
    assert_int_equal(schema_migrate(c, steps, 2), -ENOTSUP); /* an older program */
    assert_int_equal(integer(c, "SELECT b FROM t"), 6);
    connection_free(c);
}

static void failed_migration_leaves_the_older_version(void **state) {
    static const char *const steps[] = { "CREATE TABLE t (a)", "CREATE TABLE u (a); INSERT INTO nowhere VALUES (1)" };
    static const char *const repaired[] = { "CREATE TABLE t (a)", "CREATE TABLE u (a, b)" };
    Fixture *f = *state;
    Connection *c = open_writer(f->path);

    assert_int_equal(schema_migrate(c, steps, 2), -EIO);
    assert_int_equal(integer(c, "PRAGMA user_version"), 1);
    assert_int_equal(integer(c, "SELECT count(*) FROM sqlite_schema"), 1);
    assert_int_equal(schema_migrate(c, repaired, 2), 0);
    assert_int_equal(integer(c, "PRAGMA user_version"), 2);
    connection_free(c);
}

static void promises_of_the_connection_hold(void **state) {
    Fixture *f = *state;
    Connection *c = open_writer(f->path);

    assert_int_equal(schema_migrate(c, schema_migrations, schema_version), 0);
    assert_int_equal(integer(c, "PRAGMA synchronous"), 2); /* FULL */
    assert_int_equal(integer(c, "PRAGMA foreign_keys"), 1);
    assert_int_equal(integer(c, "PRAGMA secure_delete"), 1);
    assert_int_equal(integer(c, "PRAGMA recursive_triggers"), 1);
    assert_int_equal(integer(c, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    connection_free(c);
}

/* "SCAN x" in a plan is a walk over all of x: over constant rows it costs nothing. */
static bool plan_scans(Connection *c, const char *sql) {
    _cleanup_free_ char *explain = NULL;
    sqlite3_stmt *s = NULL;
    bool scans = false;

    assert_true(asprintf(&explain, "EXPLAIN QUERY PLAN %s", sql) > 0);
    assert_int_equal(sqlite3_prepare_v2(c->db, explain, -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *detail = (const char *) sqlite3_column_text(s, 3);

        scans = scans || (has_prefix(detail, "SCAN ") && !has_prefix(detail, "SCAN CONSTANT ROW"));
        if (has_prefix(detail, "USE TEMP B-TREE")) {
            print_error("%s: %s\n", sql, detail);
            scans = true;
        }
    }
    sqlite3_finalize(s);
    return scans;
}

static void no_statement_scans_unless_meant_to(void **state) {
    Fixture *f = *state;
    Connection *c = open_writer(f->path);
    unsigned meant = 0;

    assert_int_equal(schema_migrate(c, schema_migrations, schema_version), 0);
    assert_true(plan_scans(c, "SELECT * FROM requests WHERE ruta = ?1")); /* the test can tell */
    for (StatementId id = 0; id < STATEMENT_MAX; id++) {
        assert_non_null(statement_text(id));
        if (statement_may_scan(id))
            meant++;
        else if (plan_scans(c, statement_text(id))) {
            print_error("scans: %s\n", statement_text(id));
            fail();
        }
    }
    assert_in_range(meant, 1, 14);
    connection_free(c);
}

#define SCHEMA_TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        SCHEMA_TEST(every_older_version_becomes_todays),
        SCHEMA_TEST(migrations_run_once_each_and_keep_rows),
        SCHEMA_TEST(rows_of_version_1_are_kept),
        SCHEMA_TEST(failed_migration_leaves_the_older_version),
        SCHEMA_TEST(promises_of_the_connection_hold),
        SCHEMA_TEST(no_statement_scans_unless_meant_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
