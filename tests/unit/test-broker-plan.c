/* What the broker asks systemd for, and what it refuses to ask. */
#include "broker/exit_status.h"
#include "broker/plan.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define TOKEN "00112233445566778899aabbccddeeff"

static char *one_address[] = { (char *) "192.0.2.7", NULL };

static Settings settings(void) {
    return (Settings) { .data_path = (char *) "/data", .ftp_uid = 2001, .ftp_gid = 2001, .ssh_user = (char *) "lanotadm",
                        .pureftpd_program = (char *) "/usr/sbin/pure-ftpd-mysql", .export_connections = 4, .export_retries = 3, .export_retry_seconds = 1,
                        .export_ftp_seconds = 30, .export_sftp_seconds = 60, .export_answer_seconds = 120 };
}

static const Property *property(const TransientUnit *u, const char *name) {
    const Property *p = transient_find(u, name);
    if (!p)
        fail_msg("%s has no %s", u->name, name);
    return p;
}

static void assert_list(const TransientUnit *u, const char *name, const char *const *wanted) {
    char **list = property(u, name)->list;

    for (; *wanted && *list; wanted++, list++)
        assert_string_equal(*list, *wanted);
    assert_null(*wanted);
    assert_null(*list);
}
#define LIST(...) ((const char *const[]) { __VA_ARGS__, NULL })

static void a_transfer_is_a_worker_with_one_argument_a_fact(void **state) {
    _cleanup_transient_ TransientUnit u = { 0 };
    Settings s = settings();
    const char *reason;

    assert_int_equal(plan_transfer(&s, "p1", 7, 2, "ana@host.example:/srv/a b:c%d/p1", one_address, TOKEN, &u, &reason), 0);
    assert_string_equal(u.name, "tempoftp-transfer-p1.service");
    assert_list(&u, "ExecStart", LIST(TEMPOFTP_LIBEXECDIR "/tempoftp-transfer", "--id", "p1", "--user", "ana", "--host", "host.example", "--path",
                                        "/srv/a b:c%d/p1/", "--data", "/data", "--staging", ".staging/p1.7", "--address", "192.0.2.7"));
    assert_string_equal(property(&u, "Description")->text, "tempoftp: copy of ana@host.example:/srv/a b:c%d/p1 for p1");
    assert_string_equal(property(&u, "User")->text, "tempoftp-transfer");
    assert_string_equal(property(&u, "Group")->text, "2001");
    assert_string_equal(property(&u, "Type")->text, "exec");
    assert_int_equal(property(&u, "AddRef")->number, 1);
    assert_list(&u, "BindPaths", LIST("/data"));
    assert_list(&u, "LogExtraFields", LIST("TEMPOFTP_ID=p1", "TEMPOFTP_LIFE=7"));
    assert_list(&u, "OnSuccess", LIST("tempoftp-done@transfer-7-2-p1.service"));
    assert_list(&u, "OnFailure", LIST("tempoftp-failed@transfer-7-2-p1.service"));
    assert_list(&u, "IPAddressAllow", LIST("192.0.2.7"));
    assert_string_equal(property(&u, "StandardInputFileDescriptor")->text, TOKEN);
}

static ExportPlan export_plan(void) {
    return (ExportPlan) { .id = "p1", .account = "ftp_ana_abcd", .life = 7, .n = 3, .run = 2, .addresses = one_address, .order = 5 };
}

static void an_export_sees_its_request_alone_and_reads_its_order_from_an_fd(void **state) {
    _cleanup_transient_ TransientUnit u = { 0 };
    Settings s = settings();
    ExportPlan p = export_plan();
    const char *reason;

    assert_int_equal(plan_export(&s, &p, &u, &reason), 0);
    assert_string_equal(u.name, "tempoftp-export-p1-3.service");
    assert_list(&u, "ExecStart", LIST(TEMPOFTP_LIBEXECDIR "/tempoftp-export", "upload", "--id", "p1", "--folder", "/data/ftp_ana_abcd/p1", "--life", "7", "--number", "3",
                                        "--connections", "4", "--retries", "3", "--retry-seconds", "1", "--ftp-seconds", "30", "--sftp-seconds", "60", "--answer-seconds",
                                        "120"));
    assert_string_equal(property(&u, "User")->text, "tempoftp-export");
    assert_string_equal(property(&u, "Group")->text, "2001");
    assert_string_equal(property(&u, "Type")->text, "exec");
    assert_null(transient_find(&u, "BindPaths"));
    assert_list(&u, "BindReadOnlyPaths", LIST("/data/ftp_ana_abcd/p1"));
    assert_list(&u, "LogExtraFields", LIST("TEMPOFTP_ID=p1", "TEMPOFTP_LIFE=7"));
    assert_list(&u, "OnSuccess", LIST("tempoftp-done@export-7-2-p1-3.service"));
    assert_list(&u, "OnFailure", LIST("tempoftp-failed@export-7-2-p1-3.service"));
    assert_list(&u, "IPAddressAllow", LIST("192.0.2.7"));
    assert_int_equal(property(&u, "StandardInputFileDescriptor")->type, PROPERTY_FD);
    assert_int_equal(property(&u, "StandardInputFileDescriptor")->number, 5);
}

/* What stands behind an option. */
static const char *argument(const TransientUnit *u, const char *option) {
    char **list = property(u, "ExecStart")->list;

    while (*list && !streq(*list, option))
        list++;
    return *list ? list[1] : NULL;
}

/* As root writes them: from the text of a setting to the unit's command. */
static void the_settings_decide_how_an_export_tries(void **state) {
    static const struct {
        const char *setting, *value, *option;
    } rows[] = {
        { "TEMPOFTP_EXPORT_CONNECTIONS", "7", "--connections" },
        { "TEMPOFTP_EXPORT_RETRIES", "0", "--retries" },
        { "TEMPOFTP_EXPORT_RETRIES", "10", "--retries" },
        { "TEMPOFTP_EXPORT_RETRY_SECONDS", "45", "--retry-seconds" },
        { "TEMPOFTP_EXPORT_FTP_SECONDS", "20", "--ftp-seconds" },
        { "TEMPOFTP_EXPORT_SFTP_SECONDS", "599", "--sftp-seconds" },
        { "TEMPOFTP_EXPORT_ANSWER_SECONDS", "3600", "--answer-seconds" },
    };
    ExportPlan p = export_plan();
    const char *reason;

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        _cleanup_(settings_freep) Settings *s = NULL;
        _cleanup_transient_ TransientUnit u = { 0 };
        _cleanup_free_ char *error = NULL;

        assert_int_equal(setenv(rows[i].setting, rows[i].value, 1), 0);
        assert_int_equal(settings_load(NULL, NULL, NULL, &s, &error), 0);
        unsetenv(rows[i].setting);
        assert_int_equal(plan_export(s, &p, &u, &reason), 0);
        assert_string_equal(argument(&u, rows[i].option), rows[i].value);
    }
}

static void a_probe_sees_no_data(void **state) {
    _cleanup_transient_ TransientUnit u = { 0 };
    Settings s = settings();
    const char *reason;

    assert_int_equal(plan_probe(&s, 12, one_address, 5, 6, &u, &reason), 0);
    assert_string_equal(u.name, "tempoftp-probe-12.service");
    assert_list(&u, "ExecStart", LIST(TEMPOFTP_LIBEXECDIR "/tempoftp-export", "test"));
    assert_string_equal(property(&u, "Type")->text, "oneshot");
    assert_null(transient_find(&u, "BindPaths"));
    assert_null(transient_find(&u, "BindReadOnlyPaths"));
    assert_int_equal(property(&u, "StandardInputFileDescriptor")->number, 5);
    assert_int_equal(property(&u, "StandardOutputFileDescriptor")->number, 6);
    assert_int_equal(plan_probe(&s, 0, one_address, 5, 6, &u, &reason), -EINVAL);
}

static void an_export_leaves_the_machine_unless_its_settings_let_it_stay(void **state) {
    static const char *const addresses[] = { "127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1" };
    Settings s = settings();
    ExportPlan p = export_plan();
    const char *reason;

    for (size_t i = 0; i < ELEMENTS(addresses); i++) {
        _cleanup_transient_ TransientUnit u = { 0 }, probe = { 0 };
        char *list[] = { (char *) "192.0.2.7", (char *) addresses[i], NULL };

        p.addresses = list;
        s.export_internal = false;
        if (plan_export(&s, &p, &u, &reason) != -EINVAL || plan_probe(&s, 1, list, 5, 6, &probe, &reason) != -EINVAL)
            fail_msg("%s passed", addresses[i]);
        assert_non_null(strstr(reason, "TEMPOFTP_EXPORT_INTERNAL"));
        s.export_internal = true;
        assert_int_equal(plan_export(&s, &p, &u, &reason), 0);
        assert_string_equal(property(&u, "ExecStart")->list[22], "--internal");
    }
}

static void hostile_exports_make_no_unit(void **state) {
    static const char *const accounts[] = { "", "..", "ftp_a/../b", "../x", "a b" };
    Settings s = settings();
    const char *reason;
    TransientUnit u;

    for (size_t i = 0; i < ELEMENTS(accounts); i++) {
        ExportPlan p = export_plan();
        p.account = accounts[i];
        if (plan_export(&s, &p, &u, &reason) != -EINVAL)
            fail_msg("account '%s' passed", accounts[i]);
    }
    ExportPlan p = export_plan();
    p.id = "../x";
    assert_int_equal(plan_export(&s, &p, &u, &reason), -EINVAL);
    p = export_plan();
    p.n = 0;
    assert_int_equal(plan_export(&s, &p, &u, &reason), -EINVAL);
    p = export_plan();
    p.addresses = (char *[]) { (char *) "host.example", NULL };
    assert_int_equal(plan_export(&s, &p, &u, &reason), -EINVAL);
    p.addresses = (char *[]) { NULL };
    assert_int_equal(plan_export(&s, &p, &u, &reason), -EINVAL);
}

static void the_settings_decide_user_group_folder_and_jail(void **state) {
    _cleanup_transient_ TransientUnit u = { 0 };
    char *two[] = { (char *) "127.0.0.1", (char *) "::1", NULL };
    Settings s = settings();
    const char *reason;

    s.data_path = (char *) "/srv/ftp data";
    s.ftp_gid = 3000;
    s.ssh_user = (char *) "copier";
    s.ftp_jail = JAIL_BEST_EFFORT;
    assert_int_equal(plan_transfer(&s, "p1", 1, 1, "[::1]:/srv/x", two, TOKEN, &u, &reason), 0);
    assert_list(&u, "ExecStart", LIST(TEMPOFTP_LIBEXECDIR "/tempoftp-transfer", "--id", "p1", "--user", "copier", "--host", "::1", "--path", "/srv/x",
                                        "--data", "/srv/ftp data", "--staging", ".staging/p1.1", "--best-effort-jail", "--address", "127.0.0.1",
                                        "--address", "::1"));
    assert_string_equal(property(&u, "Group")->text, "3000");
    assert_list(&u, "BindPaths", LIST("/srv/ftp data"));
}

static void only_allowed_origins_are_copied_from(void **state) {
    _cleanup_transient_ TransientUnit u = { 0 };
    char *origins[] = { (char *) "good.example", NULL };
    Settings s = settings();
    const char *reason = NULL;

    s.origins = origins;
    assert_int_equal(plan_transfer(&s, "p1", 1, 1, "bad.example:/x", one_address, TOKEN, &u, &reason), -EINVAL);
    assert_non_null(strstr(reason, "TEMPOFTP_ORIGENES"));
    assert_int_equal(plan_transfer(&s, "p1", 1, 1, "GOOD.example:/x", one_address, TOKEN, &u, &reason), 0);
}

static void hostile_arguments_make_no_unit(void **state) {
    static const char *const ids[] = { "", ".", "..", "a/b", "../x", "a b", "a;b", "-x", "a..b", "expired", "user", "a\nb", "a%b", "a@b", "é",
                                       "x.service\n", "$HOME", "*", "a\\x2d" };
    static const char *const rutas[] = { "", "host", "host:", ":/x", "host:x", "host:/a/../b", "-oProxyCommand=x:/x", "a@-b:/x", "-l@b:/x", "host:/a;b",
                                         "host:/a$b", "host:/a`b`", "host:/a\nb", "host:/a*", "host:/a?", "host:/a[b]", "host:/a'b", "host:/a\"b",
                                         "host:/a|b", "host:/a&b", "host:/a>b", "host:/a\\b", "host:/{a,b}", "host:/a#", "host:/(a)", "ho st:/a",
                                         "host%x:/a", "[::1:/a", "[zz]:/a", "a@b@c:/x", "host:/\xff", "host::module/x" };
    static const char *const addresses[] = { "", "host", "0", "1", "127.1", "127.0.0.1/8", "any", "::1%lo", "fe80::1%eth0", "localhost", "300.1.1.1",
                                             "127.0.0.1 10.0.0.0", "[::1]", "::/0" };
    Settings s = settings();
    const char *reason;
    TransientUnit u;

    for (size_t i = 0; i < ELEMENTS(ids); i++) {
        if (plan_transfer(&s, ids[i], 1, 1, "h:/x", one_address, TOKEN, &u, &reason) != -EINVAL || plan_purge(&s, UNIT_PURGE, ids[i], 1, 1, &u, &reason) != -EINVAL ||
            plan_expiry(ids[i], 1, 1, 1, &u, &u, &reason) != -EINVAL)
            fail_msg("id '%s' passed", ids[i]);
        assert_string_equal(reason, "id");
    }
    for (size_t i = 0; i < ELEMENTS(rutas); i++)
        if (plan_transfer(&s, "p", 1, 1, rutas[i], one_address, TOKEN, &u, &reason) != -EINVAL)
            fail_msg("ruta '%s' passed", rutas[i]);
    for (size_t i = 0; i < ELEMENTS(addresses); i++) {
        char *list[] = { (char *) addresses[i], NULL };
        if (plan_transfer(&s, "p", 1, 1, "h:/x", list, TOKEN, &u, &reason) != -EINVAL)
            fail_msg("address '%s' passed", addresses[i]);
        assert_string_equal(reason, "addresses");
    }
    assert_int_equal(plan_purge(&s, UNIT_PURGE, "p", 0, 1, &u, &reason), -EINVAL);
    assert_int_equal(plan_purge(&s, UNIT_PURGE, "p", UINT64_MAX, 1, &u, &reason), -EINVAL);
    assert_int_equal(plan_expiry("p", 1, UINT64_MAX, 1, &u, &u, &reason), -EINVAL);
}

static void no_address_and_too_many_are_refused(void **state) {
    char *none[] = { NULL }, *many[PLAN_ADDRESSES_MAX + 2];
    Settings s = settings();
    const char *reason;
    TransientUnit u;

    for (size_t i = 0; i <= PLAN_ADDRESSES_MAX; i++)
        many[i] = (char *) "192.0.2.1";
    many[PLAN_ADDRESSES_MAX + 1] = NULL;
    assert_int_equal(plan_transfer(&s, "p", 1, 1, "h:/x", none, TOKEN, &u, &reason), -EINVAL);
    assert_int_equal(plan_transfer(&s, "p", 1, 1, "h:/x", NULL, TOKEN, &u, &reason), -EINVAL);
    assert_int_equal(plan_transfer(&s, "p", 1, 1, "h:/x", many, TOKEN, &u, &reason), -EINVAL);
    many[PLAN_ADDRESSES_MAX] = NULL;
    assert_int_equal(plan_transfer(&s, "p", 1, 1, "h:/x", many, TOKEN, &u, &reason), 0);
    transient_done(&u);
}

static void what_is_no_run_token_is_refused(void **state) {
    static const char *const tokens[] = { "", "0", "00112233445566778899aabbccddeef", TOKEN "0", "g0112233445566778899aabbccddeeff" };
    Settings s = settings();
    const char *reason;
    TransientUnit u;

    for (size_t i = 0; i < ELEMENTS(tokens); i++)
        assert_int_equal(plan_transfer(&s, "p", 1, 1, "h:/x", one_address, tokens[i], &u, &reason), -EINVAL);
}

static void a_purge_removes_one_folder_below_purge(void **state) {
    _cleanup_transient_ TransientUnit u = { 0 };
    Settings s = settings();
    const char *reason;

    assert_int_equal(plan_purge(&s, UNIT_PURGE, "a.b-c", 12, 3, &u, &reason), 0);
    assert_string_equal(u.name, "tempoftp-purge-a.b-c.service");
    assert_list(&u, "ExecStart", LIST("/bin/rm", "-rf", "--one-file-system", "--", "/data/.purge/a.b-c.12"));
    assert_list(&u, "OnFailure", LIST("tempoftp-failed@purge-12-3-a.b-c.service"));
    assert_string_equal(property(&u, "User")->text, "tempoftp-transfer");
}

static void a_drop_is_purged_by_its_owner(void **state) {
    _cleanup_transient_ TransientUnit u = { 0 };
    Settings s = settings();
    const char *reason;

    s.ftp_uid = 2001;
    assert_int_equal(plan_purge(&s, UNIT_DROP, "a.b-c", 12, 3, &u, &reason), 0);
    assert_string_equal(u.name, "tempoftp-drop-a.b-c.service");
    assert_list(&u, "ExecStart", LIST(TEMPOFTP_LIBEXECDIR "/tempoftp-purge", "/data/.purge/_buzon.a.b-c.12"));
    assert_list(&u, "OnSuccess", LIST("tempoftp-done@drop-12-3-a.b-c.service"));
    assert_string_equal(property(&u, "User")->text, "2001");
    assert_int_equal(plan_purge(&s, UNIT_DROP, "_buzon", 12, 3, &u, &reason), -EINVAL);
}

static int plan_end(const Settings *s, const char *const *whose, TransientUnit *ret, const char **ret_reason) {
    return plan_sessions(s, &(SessionsOrder) { .verb = SESSIONS_END, .whose = (char *const *) whose, .output = 7 }, ret, ret_reason);
}

static void sessions_end_by_account_request_or_process(void **state) {
    _cleanup_transient_ TransientUnit end = { 0 }, process = { 0 }, list = { 0 };
    Settings s = settings();
    const char *reason;

    assert_int_equal(plan_end(&s, LIST("ftp_ana_abcd", "", "ftp_eva_abcd", "p.1"), &end, &reason), 0);
    assert_string_equal(end.name, "tempoftp-sessions-end.service");
    assert_list(&end, "ExecStart", LIST(TEMPOFTP_LIBEXECDIR "/tempoftp-pureftpd", "end", "/usr/sbin/pure-ftpd-mysql", "/data", "ftp_ana_abcd", "-", "ftp_eva_abcd", "p.1"));
    assert_string_equal(property(&end, "Type")->text, "oneshot");
    assert_string_equal(property(&end, "Group")->text, "2001");
    assert_null(transient_find(&end, "User"));
    assert_int_equal(property(&end, "StandardOutputFileDescriptor")->number, 7);

    assert_int_equal(plan_sessions(&s, &(SessionsOrder) { .verb = SESSIONS_END_PROCESS, .pid = 4711 }, &process, &reason), 0);
    assert_string_equal(process.name, "tempoftp-sessions-end-process.service");
    assert_list(&process, "ExecStart", LIST(TEMPOFTP_LIBEXECDIR "/tempoftp-pureftpd", "end-process", "/usr/sbin/pure-ftpd-mysql", "/data", "4711"));

    assert_int_equal(plan_sessions(&s, &(SessionsOrder) { .verb = SESSIONS_LIST }, &list, &reason), 0);
    assert_string_equal(list.name, "tempoftp-sessions-list.service");
    assert_list(&list, "ExecStart", LIST(TEMPOFTP_LIBEXECDIR "/tempoftp-pureftpd", "list", "/usr/sbin/pure-ftpd-mysql", "/data"));
}

static void no_sessions_of_what_is_no_account(void **state) {
    static const char *const accounts[] = { "", "ana", "../ftp_ana_abcd", "ftp_ana_abcd/..", "ftp_ana_abcd ", "ftp_Ana_abcd", "ftp_ana_abcd\n", "list", "-" };
    const char *many[2 * PLAN_WHOSE_MAX + 3] = { NULL };
    Settings s = settings();
    const char *reason;
    TransientUnit u;

    for (size_t i = 0; i < ELEMENTS(accounts); i++) {
        if (plan_end(&s, LIST("ftp_ana_abcd", "", accounts[i], ""), &u, &reason) != -EINVAL)
            fail_msg("account '%s' passed", accounts[i]);
        assert_string_equal(reason, "account");
    }
    assert_int_equal(plan_end(&s, LIST("ftp_ana_abcd", ".."), &u, &reason), -EINVAL);
    assert_int_equal(plan_end(&s, LIST("ftp_ana_abcd", "-"), &u, &reason), -EINVAL);
    assert_int_equal(plan_end(&s, LIST("ftp_ana_abcd"), &u, &reason), -EINVAL);
    assert_int_equal(plan_end(&s, LIST(NULL), &u, &reason), -EINVAL);
    assert_int_equal(plan_sessions(&s, &(SessionsOrder) { .verb = SESSIONS_END_PROCESS, .pid = 0 }, &u, &reason), -EINVAL);
    assert_int_equal(plan_sessions(&s, &(SessionsOrder) { .verb = SESSIONS_END_PROCESS, .pid = 1u << 31 }, &u, &reason), -EINVAL);

    for (size_t i = 0; i < 2 * PLAN_WHOSE_MAX + 2; i++)
        many[i] = i % 2 ? "p1" : "ftp_ana_abcd";
    assert_int_equal(plan_end(&s, many, &u, &reason), -EINVAL);
    many[2 * PLAN_WHOSE_MAX] = NULL;
    assert_int_equal(plan_end(&s, many, &u, &reason), 0);
    transient_done(&u);
}

static void an_expiry_has_both_times_and_never_a_negative_one(void **state) {
    _cleanup_transient_ TransientUnit timer = { 0 }, service = { 0 }, late = { 0 }, late_service = { 0 };
    const char *reason;

    assert_int_equal(plan_expiry("p", 4, 1000060, 1000000, &timer, &service, &reason), 0);
    assert_string_equal(timer.name, "tempoftp-expire-p.timer");
    assert_string_equal(service.name, "tempoftp-expire-p.service");
    assert_string_equal(property(&timer, "TimersCalendar")->text, "@1000060");
    assert_int_equal(property(&timer, "TimersMonotonic")->number, 60000000);
    assert_int_equal(property(&timer, "RemainAfterElapse")->number, 0);
    assert_int_equal(property(&timer, "AccuracyUSec")->number, 1000000);
    assert_string_equal(property(&service, "User")->text, "tempoftp");
    assert_list(&service, "LogExtraFields", LIST("TEMPOFTP_ID=p", "TEMPOFTP_LIFE=4"));

    assert_int_equal(plan_expiry("p", 4, 999999, 1000000, &late, &late_service, &reason), 0);
    assert_int_equal(property(&late, "TimersMonotonic")->number, 0);
}

static void the_end_of_a_unit_reads_as_in_systemctl_status(void **state) {
    static const struct {
        const char *result;
        int32_t code, status;
        const char *text;
    } rows[] = {
        { "exit-code", CLD_EXITED, 217, "exit-code: 217/USER" },
        { "exit-code", CLD_EXITED, 226, "exit-code: 226/NAMESPACE" },
        { "exit-code", CLD_EXITED, 243, "exit-code: 243/CREDENTIALS" },
        { "exit-code", CLD_EXITED, 1, "exit-code: 1" },
        { "signal", CLD_KILLED, SIGKILL, "signal: 9/KILL" },
        { "core-dump", CLD_DUMPED, SIGSEGV, "core-dump: 11/SEGV" },
        { "timeout", 0, 0, "timeout" },
    };
    char text[64];

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        exit_status_text(rows[i].result, rows[i].code, rows[i].status, text, sizeof(text));
        assert_string_equal(text, rows[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transfer_is_a_worker_with_one_argument_a_fact),
        cmocka_unit_test(an_export_sees_its_request_alone_and_reads_its_order_from_an_fd),
        cmocka_unit_test(the_settings_decide_how_an_export_tries),
        cmocka_unit_test(a_probe_sees_no_data),
        cmocka_unit_test(an_export_leaves_the_machine_unless_its_settings_let_it_stay),
        cmocka_unit_test(hostile_exports_make_no_unit),
        cmocka_unit_test(the_settings_decide_user_group_folder_and_jail),
        cmocka_unit_test(only_allowed_origins_are_copied_from),
        cmocka_unit_test(hostile_arguments_make_no_unit),
        cmocka_unit_test(no_address_and_too_many_are_refused),
        cmocka_unit_test(what_is_no_run_token_is_refused),
        cmocka_unit_test(a_purge_removes_one_folder_below_purge),
        cmocka_unit_test(a_drop_is_purged_by_its_owner),
        cmocka_unit_test(sessions_end_by_account_request_or_process),
        cmocka_unit_test(no_sessions_of_what_is_no_account),
        cmocka_unit_test(an_expiry_has_both_times_and_never_a_negative_one),
        cmocka_unit_test(the_end_of_a_unit_reads_as_in_systemctl_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
