/* Causes: names, sentences, and the diagnosis of what OpenSSH 9.2 and rsync 3.2.7 and 3.5.0 really printed (collected from
 * the programs; names of hosts and folders shortened). */
#include "model/cause.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void names_go_both_ways(void **state) {
    for (Cause i = 0; i < CAUSE_MAX; i++) {
        Cause c = CAUSE_MAX;
        assert_int_equal(cause_parse(cause_name(i), &c), 0);
        assert_int_equal(c, i);
        assert_int_equal(strspn(cause_name(i), "abcdefghijklmnopqrstuvwxyz-"), strlen(cause_name(i)));
        assert_int_equal(cause_is_retried(i), i == CAUSE_NO_RESOLVER || i == CAUSE_UNREACHABLE || i == CAUSE_CONNECTION_LOST || i == CAUSE_KILLED);
    }
    Cause c;
    assert_int_equal(cause_parse("", &c), -EINVAL);
    assert_int_equal(cause_parse("Host-key", &c), -EINVAL);
}

static void sentences(void **state) {
    static const struct {
        Cause cause;
        const char *detail, *has;
    } cases[] = {
        { CAUSE_HOST_KEY, NULL, "/etc/tempoftp/known_hosts" },
        { CAUSE_HOST_KEY, "h1", "ssh-keyscan (h1)" },
        { CAUSE_NO_KEY, "empty", "/etc/tempoftp/id_ed25519, sin contraseña, y la autoriza en el origen (empty)" },
        { CAUSE_PERMISSION_SSH, NULL, "authorized_keys" },
        { CAUSE_PERMISSION_PATH, "/a", "permiso de lectura para él y repita la solicitud (/a)" },
        { CAUSE_NO_SUCH_PATH, "/a", "(/a)" },
        { CAUSE_NO_SUCH_HOST, "h1", "(h1)" },
        { CAUSE_NO_RESOLVER, "h1", "/etc/resolv.conf, y repita la solicitud (h1)" },
        { CAUSE_UNREACHABLE, NULL, "firewall" },
        { CAUSE_CONNECTION_LOST, NULL, "Se perdió la conexión" },
        { CAUSE_KILLED, "rsync: signal 9", "compruebe su memoria" },
        { CAUSE_DISK_FULL, NULL, "libere espacio" },
        { CAUSE_NO_RSYNC, NULL, "no ejecuta rsync" },
        { CAUSE_UNIT, "exit-code: 217/USER", "(exit-code: 217/USER)" },
        { CAUSE_INTERNAL, NULL, "journalctl" },
    };
    char text[1024];

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        cause_message(cases[i].cause, cases[i].detail, text, sizeof(text));
        assert_non_null(strstr(text, cases[i].has));
    }
    for (Cause c = 0; c < CAUSE_MAX; c++) { /* a lone "%s" or "()" never shows */
        cause_message(c, NULL, text, sizeof(text));
        assert_true(strlen(text) >= strlen("Origen no permitido"));
        assert_null(strchr(text, '%'));
        assert_null(strstr(text, "()"));
    }
}

static void the_contracts_own_sentences(void **state) {
    char text[256];

    cause_message(CAUSE_TOO_LARGE, "Espacio insuficiente en /data: se requieren 5 bytes", text, sizeof(text));
    assert_string_equal(text, "Espacio insuficiente en /data: se requieren 5 bytes");
    cause_message(CAUSE_TOO_LARGE, NULL, text, sizeof(text));
    assert_string_equal(text, "Espacio insuficiente");
    cause_message(CAUSE_ORIGIN, "h1", text, sizeof(text));
    assert_string_equal(text, "Origen no permitido: h1");
}

static void details_are_strangers(void **state) {
    char text[64];

    cause_message(CAUSE_TOO_LARGE, "a\nb\x1b[31m\xff" "c\xc2\x85" "d%s%n", text, sizeof(text));
    assert_string_equal(text, "a?b?[31m?c?d%s%n");
    cause_message(CAUSE_TOO_LARGE, " \n", text, sizeof(text));
    assert_string_equal(text, "Espacio insuficiente");
}

static void cut_on_a_character(void **state) {
    char text[64];

    for (size_t size = 1; size <= sizeof(text); size++) {
        memset(text, 'x', sizeof(text));
        cause_message(CAUSE_TOO_LARGE, "€€€€€€€€€€", text, size);
        assert_int_equal(strlen(text), (size - 1) / 3 * 3 < 30 ? (size - 1) / 3 * 3 : 30);
        assert_true(utf8_is_valid(text, strlen(text)));
    }
    text[0] = 'x';
    cause_message(CAUSE_TOO_LARGE, "a", text, 0);
    assert_int_equal(text[0], 'x');
}

#define CLOSED_0                                                                                                              \
    "rsync: connection unexpectedly closed (0 bytes received so far) [Receiver]\n"                                            \
    "rsync error: unexplained error (code 255) at io.c(232) [Receiver=3.2.7]\n"
#define CLOSED_12                                                                                                             \
    "rsync: connection unexpectedly closed (0 bytes received so far) [Receiver]\n"                                            \
    "rsync error: error in rsync protocol data stream (code 12) at io.c(232) [Receiver=3.2.7]\n"
#define SOME_23                                                                                                               \
    "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1874) [Receiver=3.2.7]\n"   \
    "rsync: [Receiver] write error: Broken pipe (32)\n"

static void real_outputs(void **state) {
    static const struct {
        const char *text;
        int status, signal;
        Cause cause;
    } cases[] = {
        { "No ED25519 host key is known for [127.0.0.1]:22922 and you have requested strict checking.\n"
          "Host key verification failed.\n" CLOSED_0,
          255, 0, CAUSE_HOST_KEY },
        { "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
          "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n"
          "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
          "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\n"
          "Host key for [127.0.0.1]:22922 has changed and you have requested strict checking.\n"
          "Host key verification failed.\n" CLOSED_0,
          255, 0, CAUSE_HOST_KEY },
        { "Warning: Permanently added 'h' (ED25519) to the list of known hosts.\nsrc@127.0.0.1: Permission denied (publickey).\n" CLOSED_0,
          255, 0, CAUSE_PERMISSION_SSH },
        { "src@h: Permission denied (publickey,password,keyboard-interactive).\n" CLOSED_0, 255, 0, CAUSE_PERMISSION_SSH },
        { "src@h: Permission denied (password).\n" CLOSED_0, 255, 0, CAUSE_PERMISSION_SSH },
        { "Load key \"/run/credentials/tempoftp-transfer-a.service/ssh-key\": error in libcrypto\r\nsrc@h: Permission denied (publickey).\r\n" CLOSED_0, 255, 0,
          CAUSE_NO_KEY },
        { "Load key \"/root/.ssh/id_rsa\": Permission denied\r\nsrc@h: Permission denied (publickey).\r\n" CLOSED_0, 255, 0, CAUSE_PERMISSION_SSH },
        { "Received disconnect from 127.0.0.1 port 22:2: Too many authentication failures\n" CLOSED_0, 255, 0, CAUSE_PERMISSION_SSH },
        { "ssh: connect to host 127.0.0.1 port 22923: Connection refused\n" CLOSED_12, 12, 0, CAUSE_UNREACHABLE },
        { "ssh: connect to host 10.9.9.9 port 22: No route to host\n" CLOSED_0, 255, 0, CAUSE_UNREACHABLE },
        { "ssh: connect to host 10.9.9.9 port 22: Connection timed out\n" CLOSED_0, 255, 0, CAUSE_UNREACHABLE },
        { "ssh: connect to host h port 22: Network is unreachable\n" CLOSED_0, 255, 0, CAUSE_UNREACHABLE },
        { "ssh: Could not resolve hostname no-such-host.invalid: Name or service not known\n" CLOSED_0, 255, 0, CAUSE_NO_SUCH_HOST },
        { "ssh: Could not resolve hostname h: Temporary failure in name resolution\n" CLOSED_0, 255, 0, CAUSE_NO_RESOLVER },
        { "kex_exchange_identification: Connection closed by remote host\nConnection closed by 127.0.0.1 port 22924\n" CLOSED_12, 12, 0,
          CAUSE_UNREACHABLE },
        { "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 127.0.0.1 port 22924\n" CLOSED_0, 255, 0,
          CAUSE_UNREACHABLE },
        { "Connection timed out during banner exchange\nConnection to 127.0.0.1 port 22925 timed out\n" CLOSED_0, 255, 0,
          CAUSE_UNREACHABLE },
        { "rsync: [sender] change_dir \"/no\" failed: No such file or directory (2)\n" SOME_23, 23, 0, CAUSE_NO_SUCH_PATH },
        { "rsync: [sender] link_stat \"/no/such\" failed: No such file or directory (2)\n" SOME_23, 23, 0, CAUSE_NO_SUCH_PATH },
        { "rsync: link_stat \"/no/such\" failed: No such file or directory (2)\n" SOME_23, 23, 0, CAUSE_NO_SUCH_PATH }, /* rsync 3.1 */
        { "rsync: [sender] change_dir \"/data/small\" failed: Not a directory (20)\n" SOME_23, 23, 0, CAUSE_NO_SUCH_PATH },
        { "rsync: [sender] change_dir \"/root\" failed: Permission denied (13)\n" SOME_23, 23, 0, CAUSE_PERMISSION_PATH },
        { "rsync: [sender] opendir \"/part/closed\" failed: Permission denied (13)\n"
          "rsync: [sender] send_files failed to open \"/part/secret\": Permission denied (13)\n"
          "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1874) [generator=3.2.7]\n",
          23, 0, CAUSE_PERMISSION_PATH },
        { "rsync: [sender] send_files failed to open \"/part/secret\": Permission denied (13)\n", 23, 0, CAUSE_PERMISSION_PATH },
        { "bash: line 1: rsync: command not found\n" CLOSED_12, 12, 0, CAUSE_NO_RSYNC },
        { "dash: 1: rsync: not found\n" CLOSED_12, 12, 0, CAUSE_NO_RSYNC },
        { "zsh:1: command not found: rsync\n" CLOSED_12, 127, 0, CAUSE_NO_RSYNC },
        { "protocol version mismatch -- is your shell clean?\n(see the rsync manpage for an explanation)\n"
          "rsync error: protocol incompatibility (code 2) at compat.c(625) [Receiver=3.5.0]\n",
          2, 0, CAUSE_NO_RSYNC },
        { "rsync: [receiver] write failed on \"/full/big\": No space left on device (28)\n"
          "rsync error: error in file IO (code 11) at receiver.c(657) [receiver=3.5.0]\n"
          "rsync: [generator] write error: Broken pipe (32)\n",
          11, 0, CAUSE_DISK_FULL },
        { "rsync: [receiver] mkstemp \"/full/.big.x\" failed: Disk quota exceeded (122)\n", 11, 0, CAUSE_DISK_FULL },
        { "Connection to 127.0.0.1 closed by remote host.\n"
          "rsync: connection unexpectedly closed (1892933 bytes received so far) [receiver]\n"
          "rsync error: error in rsync protocol data stream (code 12) at io.c(285) [receiver=3.5.0]\n"
          "rsync: [generator] write error: Broken pipe (32)\n",
          255, 0, CAUSE_CONNECTION_LOST },
        { "Timeout, server 127.0.0.1 not responding.\n"
          "rsync: connection unexpectedly closed (1967877 bytes received so far) [receiver]\n",
          255, 0, CAUSE_CONNECTION_LOST },
        { "Read from remote host h: Connection reset by peer\nclient_loop: send disconnect: Broken pipe\n", 255, 0, CAUSE_CONNECTION_LOST },
        { "[Receiver] io timeout after 2 seconds -- exiting\n"
          "rsync error: timeout in data send/receive (code 30) at io.c(201) [Receiver=3.2.7]\n",
          30, 0, CAUSE_CONNECTION_LOST },
        /* Ours, whatever words they share with the above. */
        { "rsync: [Receiver] mkdir \"/proc/nope\" failed: No such file or directory (2)\n"
          "rsync error: error in file IO (code 11) at main.c(800) [Receiver=3.2.7]\n",
          11, 0, CAUSE_INTERNAL },
        { "rsync: [receiver] mkstemp \"/staging/.f.x\" failed: Permission denied (13)\n", 23, 0, CAUSE_INTERNAL },
        { "rsync: [Receiver] change_dir#3 \"/staging\" failed: No such file or directory (2)\n", 3, 0, CAUSE_INTERNAL },
        { "rsync: [Receiver] Failed to exec /usr/bin/ssh: No such file or directory (2)\n"
          "rsync error: error in IPC code (code 14) at pipe.c(85) [Receiver=3.5.0]\n"
          "rsync: connection unexpectedly closed (0 bytes received so far) [Receiver]\n",
          14, 0, CAUSE_INTERNAL },
        /* Nothing was said. */
        { "", 255, 0, CAUSE_CONNECTION_LOST },
        { "", 12, 0, CAUSE_CONNECTION_LOST },
        { NULL, 30, 0, CAUSE_CONNECTION_LOST },
        { "", 35, 0, CAUSE_UNREACHABLE },
        { "", 127, 0, CAUSE_NO_RSYNC },
        { "", 0, SIGKILL, CAUSE_KILLED },
        { NULL, 0, SIGTERM, CAUSE_KILLED },
        { "", 0, SIGSEGV, CAUSE_INTERNAL }, /* it would only crash again */
        { "", 0, SIGSYS, CAUSE_INTERNAL },
        { "rsync error: received SIGINT, SIGTERM, or SIGHUP (code 20) at rsync.c(716) [Receiver=3.2.7]\n", 20, 0, CAUSE_KILLED },
        { "", 16, 0, CAUSE_KILLED },
        { "", 1, 0, CAUSE_INTERNAL },
        { NULL, 0, 0, CAUSE_INTERNAL },
        /* Both needles, but not in one line. */
        { "rsync: [sender] opendir \"/a\" failed: Input/output error (5)\nPermission denied\n", 23, 0, CAUSE_INTERNAL },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Cause c = cause_from_output(cases[i].text, cases[i].status, cases[i].signal);
        if (c != cases[i].cause)
            print_error("%s for: %s\n", cause_name(c), cases[i].text);
        assert_int_equal(c, cases[i].cause);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_both_ways),    cmocka_unit_test(sentences),          cmocka_unit_test(the_contracts_own_sentences),
        cmocka_unit_test(details_are_strangers), cmocka_unit_test(cut_on_a_character), cmocka_unit_test(real_outputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
