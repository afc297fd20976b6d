/* The command lines of ssh and rsync: user text stays in arguments of its own, and nothing is ever given to a shell. */
#include "transfer/command.h"
#include "transfer/worker.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define KEY "/run/credentials/u/ssh-key"
#define CONTROL "/tmp/tempoftp-abc/ssh"

static Options options(void) {
    return (Options) {
        .id = "p1", .user = "ana", .host = "host.example", .path = "/srv/a", .data = "/data", .staging = ".staging/p1.7", .addresses = { "192.0.2.7" },
    };
}

static size_t count(const Command *c, const char *argument) {
    size_t n = 0;
    for (unsigned i = 0; i < c->n; i++)
        n += streq(c->argv[i], argument);
    return n;
}

static void assert_has(const Command *c, const char *argument) {
    if (count(c, argument) != 1)
        fail_msg("'%s' stands there %zu times", argument, count(c, argument));
}

static void assert_ends(const Command *c, const char *const *tail, size_t n) {
    assert_true(c->n >= n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(c->argv[c->n - n + i], tail[i]);
    assert_null(c->argv[c->n]);
}
#define ENDS(c, ...) assert_ends(c, (const char *const[]) { __VA_ARGS__ }, ELEMENTS(((const char *const[]) { __VA_ARGS__ })))

static void the_connection_goes_to_the_address_and_checks_the_name(void **state) {
    _cleanup_command_ Command c = { 0 };
    Options o = options();

    command_ssh_master(&o, "192.0.2.7", 22, KEY, CONTROL, &c);
    assert_int_equal(c.error, 0);
    assert_string_equal(c.argv[0], "/usr/bin/ssh");
    assert_has(&c, "HostName=192.0.2.7");
    assert_has(&c, "HostKeyAlias=host.example");
    assert_has(&c, "StrictHostKeyChecking=yes");
    assert_has(&c, "BatchMode=yes");
    assert_has(&c, "UserKnownHostsFile=/etc/tempoftp/known_hosts");
    assert_has(&c, "GlobalKnownHostsFile=none");
    assert_has(&c, "ForwardAgent=no");
    assert_has(&c, "PermitLocalCommand=no");
    assert_has(&c, KEY);
    assert_has(&c, CONTROL);
    ENDS(&c, "-l", "ana", "--", "host.example");
}

static void another_port_is_part_of_the_name_as_ssh_keyscan_writes_it(void **state) {
    _cleanup_command_ Command c = { 0 }, six = { 0 };
    Options o = options();

    command_ssh_master(&o, "192.0.2.7", 2222, KEY, CONTROL, &c);
    assert_has(&c, "HostKeyAlias=[host.example]:2222");
    o.host = "2001:db8::7";
    command_ssh_master(&o, "2001:db8::7", 22, KEY, CONTROL, &six);
    assert_has(&six, "HostName=2001:db8::7");
    assert_has(&six, "HostKeyAlias=2001:db8::7");
    ENDS(&six, "--", "2001:db8::7");
}

static void the_port_is_read_from_what_ssh_says(void **state) {
    static const struct {
        const char *text;
        uint16_t port;
    } rows[] = {
        { "user ana\nhostname x\nport 2222\n", 2222 }, { "port 22\n", 22 }, { "", 22 }, { "user port 5\n", 22 }, { "port 0\n", 22 },
        { "port 65536\n", 22 }, { "port 99999999999999\n", 22 }, { "port x\nport 2200", 2200 }, { "xport 1\nport 443\n", 443 }, { "port", 22 },
    };

    for (size_t i = 0; i < ELEMENTS(rows); i++)
        assert_int_equal(ssh_configuration_port(rows[i].text), rows[i].port);
    assert_int_equal(ssh_configuration_port(NULL), 22);
}

static void rsync_gets_the_path_as_one_argument_behind_the_options(void **state) {
    static const char *const paths[] = { "/srv/a", "/srv/a b/", "/srv/:x", "/srv/~root", "/-rf", "/srv/a,b=c+d@e%f", "/srv/ñandú", "/srv/$(reboot)",
                                         "/srv/`reboot`", "/srv/;reboot", "/srv/*", "/srv/a'b\"c", "/srv/a\nb" };

    for (size_t i = 0; i < ELEMENTS(paths); i++) {
        _cleanup_command_ Command size = { 0 }, copy = { 0 };
        char source[64];
        Options o = options();

        o.path = paths[i];
        snprintf(source, sizeof(source), "source:%s", paths[i]);
        command_rsync_size(&o, CONTROL, &size);
        command_rsync_copy(&o, CONTROL, &copy);
        ENDS(&size, "--", source, "/data/.staging/p1.7/");
        ENDS(&copy, "--", source, "/data/.staging/p1.7/");
        assert_has(&size, "--dry-run");
        assert_int_equal(count(&copy, "--dry-run"), 0);
        /* The remote shell sees nothing of it. */
        assert_has(&size, "--secluded-args");
        assert_has(&copy, "--secluded-args");
    }
}

static void rsync_takes_neither_owner_nor_devices_nor_links_that_leave(void **state) {
    _cleanup_command_ Command c = { 0 };
    Options o = options();

    command_rsync_copy(&o, CONTROL, &c);
    assert_has(&c, "--no-owner");
    assert_has(&c, "--no-group");
    assert_has(&c, "--no-perms");
    assert_has(&c, "--no-devices");
    assert_has(&c, "--no-specials");
    assert_has(&c, "--safe-links");
    assert_has(&c, "--chmod=D2750,F0640");
    assert_has(&c, "--timeout=900");
    assert_has(&c, "--partial-dir=" PARTIAL_FOLDER);
    assert_int_equal(count(&c, "-a") + count(&c, "--archive"), 0);
}

static void rsyncs_ssh_has_no_key_and_makes_no_connection_of_its_own(void **state) {
    _cleanup_command_ Command c = { 0 };
    Options o = options();
    const char *shell = NULL;

    command_rsync_copy(&o, CONTROL, &c);
    for (unsigned i = 0; i + 1 < c.n; i++)
        if (streq(c.argv[i], "-e"))
            shell = c.argv[i + 1];
    assert_non_null(shell);
    assert_true(has_prefix(shell, "/usr/bin/ssh -F none -S " CONTROL " "));
    assert_non_null(strstr(shell, "ProxyCommand=/bin/false"));
    assert_null(strstr(shell, "-i "));
    assert_null(strpbrk(shell, "'\"$`;|&<>*?"));
    /* Neither host nor user: that was settled by the connection. */
    for (unsigned i = 0; i < c.n; i++) {
        assert_null(strstr(c.argv[i], "host.example"));
        assert_null(strstr(c.argv[i], "ana"));
    }
}

static void no_program_is_a_shell(void **state) {
    Command all[4];
    Options o = options();

    command_ssh_configuration(&o, &all[0]);
    command_ssh_master(&o, "192.0.2.7", 22, KEY, CONTROL, &all[1]);
    command_rsync_size(&o, CONTROL, &all[2]);
    command_rsync_copy(&o, CONTROL, &all[3]);
    for (size_t i = 0; i < ELEMENTS(all); i++) {
        assert_true(streq(all[i].argv[0], "/usr/bin/ssh") || streq(all[i].argv[0], "/usr/bin/rsync"));
        for (unsigned k = 0; k < all[i].n; k++)
            assert_false(streq(all[i].argv[k], "-c") || streq(all[i].argv[k], "sh"));
        command_done(&all[i]);
    }
}

/* ---- the worker's own command line ---- */

static int parse(const char *const *words, Options *ret, const char **ret_error) {
    char *argv[48] = { (char *) "tempoftp-transfer" };
    int argc = 1;

    for (; *words; words++)
        argv[argc++] = (char *) *words;
    argv[argc] = NULL;
    return options_parse(argc, argv, ret, ret_error);
}
#define WORDS(...) ((const char *const[]) { __VA_ARGS__, NULL })
#define GOOD "--id", "p", "--user", "ana", "--host", "h", "--path", "/a", "--data", "/data", "--staging", ".staging/p.1"

static void the_brokers_command_line_is_understood(void **state) {
    const char *error = NULL;
    Options o;

    assert_int_equal(parse(WORDS(GOOD, "--address", "192.0.2.1", "--address", "::1"), &o, &error), 0);
    assert_string_equal(o.id, "p");
    assert_string_equal(o.user, "ana");
    assert_string_equal(o.host, "h");
    assert_string_equal(o.path, "/a");
    assert_string_equal(o.data, "/data");
    assert_string_equal(o.staging, ".staging/p.1");
    assert_string_equal(o.addresses[0], "192.0.2.1");
    assert_string_equal(o.addresses[1], "::1");
    assert_null(o.addresses[2]);
    assert_false(o.best_effort_jail);
    assert_int_equal(parse(WORDS(GOOD, "--best-effort-jail", "--address", "192.0.2.1"), &o, &error), 0);
    assert_true(o.best_effort_jail);
    assert_int_equal(parse(WORDS(GOOD, "--address", "192.0.2.1", "--staging", ".staging/p..1"), &o, &error), 0); /* of the id "p." */
}

#define TWO "--address", "1", "--address", "2"
#define EIGHT TWO, TWO, TWO, TWO

static void other_command_lines_are_refused(void **state) {
    const char *const *const rows[] = {
        WORDS("--id"),
        WORDS(GOOD),
        WORDS(GOOD, "--address", "1", "more"),
        WORDS(GOOD, "--address", "1", "--unknown"),
        WORDS(GOOD, "--address", "1", "--path", "relative"),
        WORDS(GOOD, "--address", "1", "--data", "data"),
        WORDS(GOOD, "--address", "1", "--staging", "/etc"),
        WORDS(GOOD, "--address", "1", "--staging", "../x"),
        WORDS(GOOD, "--address", "1", "--host", "-oProxyCommand=x"),
        WORDS(GOOD, "--address", "1", "--user", "-x"),
        WORDS(GOOD, "--address", "1", "--host", ""),
        WORDS(GOOD, EIGHT, EIGHT, "--address", "1"),
    };

    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        const char *error = NULL;
        Options o;
        if (parse(rows[i], &o, &error) != -EINVAL || !error)
            fail_msg("row %zu passed", i);
    }
    const char *error = NULL;
    Options o;
    assert_int_equal(parse(WORDS(GOOD, EIGHT, EIGHT), &o, &error), 0); /* ADDRESSES_MAX of them are not too many */
}

static void pauses_double_from_five_seconds(void **state) {
    static const unsigned pauses[] = { 0, 0, 5, 10, 20, 40 };
    for (unsigned try = 0; try <= WORKER_TRIES; try++)
        assert_int_equal(worker_pause(try), pauses[try]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_connection_goes_to_the_address_and_checks_the_name),
        cmocka_unit_test(another_port_is_part_of_the_name_as_ssh_keyscan_writes_it),
        cmocka_unit_test(the_port_is_read_from_what_ssh_says),
        cmocka_unit_test(rsync_gets_the_path_as_one_argument_behind_the_options),
        cmocka_unit_test(rsync_takes_neither_owner_nor_devices_nor_links_that_leave),
        cmocka_unit_test(rsyncs_ssh_has_no_key_and_makes_no_connection_of_its_own),
        cmocka_unit_test(no_program_is_a_shell),
        cmocka_unit_test(the_brokers_command_line_is_understood),
        cmocka_unit_test(other_command_lines_are_refused),
        cmocka_unit_test(pauses_double_from_five_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
