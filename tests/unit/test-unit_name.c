/* Unit names there and back; names of others, and names that only look like ours. */
#include "model/unit_name.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void kinds(void **state) {
    static const char *const names[] = { "transfer", "purge", "export", "expire", "drop", "sessions", "probe" };
    UnitKind k;

    for (UnitKind i = 0; i < UNIT_KIND_MAX; i++) {
        assert_string_equal(unit_kind_name(i), names[i]);
        assert_int_equal(unit_kind_parse(names[i], &k), 0);
        assert_int_equal(k, i);
    }
    assert_int_equal(unit_kind_parse("Transfer", &k), -EINVAL);
    assert_int_equal(unit_kind_parse("", &k), -EINVAL);
}

static void made(void **state) {
    char name[UNIT_NAME_SIZE];

    unit_name_make(UNIT_TRANSFER, "proyecto-1.x", false, name);
    assert_string_equal(name, "tempoftp-transfer-proyecto-1.x.service");
    unit_name_make(UNIT_EXPIRE, "a", true, name);
    assert_string_equal(name, "tempoftp-expire-a.timer");
    report_unit_name_make(false, UNIT_TRANSFER, 12, 3, "a-b", name);
    assert_string_equal(name, "tempoftp-done@transfer-12-3-a-b.service");
    report_unit_name_make(true, UNIT_PURGE, UINT64_MAX, UINT32_MAX, "a", name);
    assert_string_equal(name, "tempoftp-failed@purge-18446744073709551615-4294967295-a.service");
}

static void ids_of_units(void **state) {
    static const struct {
        const char *name;
        int kind; /* -1: not ours */
        const char *id;
    } cases[] = {
        { "tempoftp-transfer-a.service", UNIT_TRANSFER, "a" },
        { "tempoftp-transfer-a.b-c_d.service", UNIT_TRANSFER, "a.b-c_d" },
        { "tempoftp-transfer-x.service.service", UNIT_TRANSFER, "x.service" },
        { "tempoftp-purge-1-2-3.service", UNIT_PURGE, "1-2-3" },
        { "tempoftp-expire-a.timer", UNIT_EXPIRE, "a" },
        { "tempoftp-expire-a.service", UNIT_EXPIRE, "a" },
        { "tempoftp-export-a-1.service", UNIT_EXPORT, "a-1" },
        { "tempoftp-export-a-1-22.service", UNIT_EXPORT, "a-1-22" },
        { "tempoftp-probe-7.service", UNIT_PROBE, "7" },
        { "tempoftp-export-a.service", -1, "" },
        { "tempoftp-export-a-x.service", -1, "" },
        { "tempoftp-export-a-01.service", -1, "" },
        { "tempoftp-export-a-.service", -1, "" },
        { "tempoftp-transfer-a.timer", -1, "" },
        { "tempoftp-transfer-.service", -1, "" },
        { "tempoftp-transfer-a", -1, "" },
        { "tempoftp-transfer.service", -1, "" },
        { "tempoftp-transfers.slice", -1, "" },
        { "tempoftp-sweep.timer", -1, "" },
        { "tempoftp-copy-a.service", -1, "" },
        { "tempoftp-transfer-user.service", -1, "" },
        { "tempoftp-transfer--a.service", -1, "" },
        { "tempoftp-transfer-a..b.service", -1, "" },
        { "tempoftp-transfer-a/b.service", -1, "" },
        { "tempoftp-transfer-a\\x2db.service", -1, "" },
        { "xtempoftp-transfer-a.service", -1, "" },
        { "ssh.service", -1, "" },
        { "", -1, "" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        UnitKind kind = UNIT_KIND_MAX;
        char id[UNIT_ID_MAX + 1] = "";
        assert_int_equal(unit_name_parse(cases[i].name, &kind, id), cases[i].kind < 0 ? -EINVAL : 0);
        assert_int_equal(kind, cases[i].kind < 0 ? (int) UNIT_KIND_MAX : cases[i].kind);
        assert_string_equal(id, cases[i].id);
    }
}

static void reports_come_back(void **state) {
    static const uint64_t lives[] = { 0, 1, 42, UINT64_MAX };
    static const char *const ids[] = { "a", "a-b-c", "1-2-3", "x.service", "0" };

    for (UnitKind k = 0; k < UNIT_KIND_MAX; k++)
        for (size_t l = 0; l < ELEMENTS(lives); l++)
            for (size_t i = 0; i < ELEMENTS(ids); i++) {
                char name[UNIT_NAME_SIZE], unit_id[UNIT_ID_MAX + 1];
                bool export = k == UNIT_EXPORT;
                ReportUnit u;
                export_unit_id_make(ids[i], 7, unit_id);
                report_unit_name_make(l % 2, k, lives[l], (uint32_t) lives[l], export ? unit_id : ids[i], name);
                assert_int_equal(report_unit_name_parse(name, &u), 0);
                assert_int_equal(u.failed, l % 2);
                assert_int_equal(u.kind, k);
                assert_true(u.life == lives[l]);
                assert_true(u.run == (uint32_t) lives[l]);
                assert_string_equal(u.id, ids[i]);
                assert_int_equal(u.n, export ? 7 : 0);
            }
}

static void exports_have_a_number(void **state) {
    static const char *const longest = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    static const char *const others[] = { "", "a", "a-", "a-0", "a-01", "a-x", "a--1", "-1", "a-4294967296", "user-1", "a b-1",
                                          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-1" };
    char unit_id[UNIT_ID_MAX + 1], id[ID_MAX + 1] = "";
    uint32_t n = 0;

    export_unit_id_make(longest, UINT32_MAX, unit_id);
    assert_int_equal(export_unit_id_parse(unit_id, id, &n), 0);
    assert_string_equal(id, longest);
    assert_true(n == UINT32_MAX);
    for (size_t i = 0; i < ELEMENTS(others); i++)
        if (export_unit_id_parse(others[i], id, &n) != (streq(others[i], "a--1") ? 0 : -EINVAL)) /* "a-" is an id */
            fail_msg("%s", others[i]);
}

static void other_reports(void **state) {
    static const char *const names[] = {
        "",
        "tempoftp-done@.service",
        "tempoftp-done@transfer.service",
        "tempoftp-done@transfer-1-2.service",
        "tempoftp-done@transfer-1-2-.service",
        "tempoftp-done@transfer-01-2-a.service",
        "tempoftp-done@transfer-1-02-a.service",
        "tempoftp-done@transfer-+1-2-a.service",
        "tempoftp-done@transfer--1-2-a.service",
        "tempoftp-done@transfer-18446744073709551616-2-a.service",
        "tempoftp-done@transfer-1-4294967296-a.service",
        "tempoftp-done@transfer-1-2-a.timer",
        "tempoftp-done@transfer-1-2-a",
        "tempoftp-done@transfer-1-2-user.service",
        "tempoftp-done@export-1-2-a.service",
        "tempoftp-done@export-1-2-a-0.service",
        "tempoftp-done@export-1-2-a-01.service",
        "tempoftp-done@transfer-1-2-a@b.service",
        "tempoftp-done@other-1-2-a.service",
        "tempoftp-do@transfer-1-2-a.service",
        "tempoftp-done-transfer-1-2-a.service",
        "x-tempoftp-done@transfer-1-2-a.service",
        "tempoftp-transfer-1.service",
        "tempoftp-done@transfer-1-2-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.service",
    };

    for (size_t i = 0; i < ELEMENTS(names); i++) {
        ReportUnit u = { .run = 7 };
        assert_int_equal(report_unit_name_parse(names[i], &u), -EINVAL);
        assert_int_equal(u.run, 7);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(made),
        cmocka_unit_test(ids_of_units),
        cmocka_unit_test(reports_come_back),
        cmocka_unit_test(exports_have_a_number),
        cmocka_unit_test(other_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
