/* The FTP command parser: conversations as bytes, and the commands that must come out, however the bytes arrive. */
#include "ftpd/command.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define OUTPUT_MAX 4096

/* What comes out, as text: "VERB(argument) ", "VERB ", "?(argument)" for no verb, "!too-long ", "!bad ". */
static void take_all(CommandReader *r, char *out) {
    Command c;
    int k;

    while ((k = command_reader_next(r, &c)) != 0) {
        size_t n = strlen(out);
        if (k == -E2BIG)
            snprintf(out + n, OUTPUT_MAX - n, "!too-long ");
        else if (k == -EBADMSG)
            snprintf(out + n, OUTPUT_MAX - n, "!bad ");
        else if (c.argument)
            snprintf(out + n, OUTPUT_MAX - n, "%s(%s) ", c.verb[0] ? c.verb : "?", c.argument);
        else
            snprintf(out + n, OUTPUT_MAX - n, "%s ", c.verb[0] ? c.verb : "?");
    }
}

static void converse(const char *in, size_t size, size_t piece, char out[static OUTPUT_MAX]) {
    CommandReader r = { 0 };

    out[0] = '\0';
    while (size > 0) {
        size_t n = size < piece ? size : piece;
        if (n > command_reader_space(&r))
            n = command_reader_space(&r);
        assert_true(n > 0); /* take_all() left no whole line, so there is room */
        command_reader_feed(&r, in, n);
        take_all(&r, out);
        in += n;
        size -= n;
    }
}

#define IN(text) text, sizeof(text) - 1

static const struct {
    const char *in;
    size_t size;
    const char *out;
} conversations[] = {
    { IN("USER ana\r\n"), "USER(ana) " },
    { IN("USER ana\n"), "USER(ana) " },
    { IN("user ana\r\npass p w\r\n"), "USER(ana) PASS(p w) " },
    { IN("PWD\r\n"), "PWD " },
    { IN("PWD \r\n"), "PWD() " },
    { IN("CWD  two spaces\r\n"), "CWD( two spaces) " },
    { IN("RETR trailing \r\n"), "RETR(trailing ) " },
    { IN("NOOP\r\nNOOP\r\nQUIT\r\n"), "NOOP NOOP QUIT " },
    { IN("\r\n"), "? " },
    { IN("\n\n"), "? ? " },
    { IN(" NOOP\r\n"), "?(NOOP) " },
    { IN("GET / HTTP/1.1\r\n"), "GET(/ HTTP/1.1) " },
    { IN("TOOLONGVERB x\r\n"), "?(x) " },
    { IN("1234 x\r\n"), "?(x) " },
    { IN("\xc3\xb1 x\r\n"), "?(x) " },
    /* an unfinished line is no command */
    { IN("USER ana"), "" },
    { IN("USER ana\r"), "" },
    /* names are bytes */
    { IN("RETR ni\xc3\xb1o \xff\xff.txt\r\n"), "RETR(ni\xc3\xb1o \xff.txt) " },
    { IN("RETR tab\there\r\n"), "RETR(tab\there) " },
    /* but never line ends or NUL */
    { IN("RETR a\rb\r\nNOOP\r\n"), "!bad NOOP " },
    { IN("RETR a\0b\r\nNOOP\r\n"), "!bad NOOP " },
    { IN("RETR a\r\0b\r\nNOOP\r\n"), "!bad NOOP " },
    { IN("RETR a\r\r\nNOOP\r\n"), "!bad NOOP " },
    /* Telnet: interrupt process, data mark, then ABOR */
    { IN("RETR \xff.txt\r\n"), "RETR(\xff.txt) " }, /* from who knows nothing of Telnet */
    { IN("RETR a\xff\r\n"), "RETR(a\xff) " },
    { IN("\xff\xf4\xff\xf2" "ABOR\r\n"), "ABOR " },
    { IN("\xff\xf4\xf2" "ABOR\r\n"), "?" " " },
    { IN("AB\xff\xf1OR\r\n"), "ABOR " },
    { IN("\xff\xfb\x01NOOP\r\n"), "NOOP " },
    { IN("\xff\xfe\x0aNOOP\r\n"), "NOOP " },
    { IN("\xff\xfa\x18\x01\n\xff\xff\xff\xf0NOOP\r\n"), "NOOP " },
};

static void conversations_come_out(void **state) {
    char out[OUTPUT_MAX];

    for (size_t i = 0; i < sizeof(conversations) / sizeof(conversations[0]); i++)
        for (size_t piece = 1; piece <= conversations[i].size; piece++) {
            converse(conversations[i].in, conversations[i].size, piece, out);
            assert_string_equal(out, conversations[i].out);
        }
}

/* size bytes of `c` after "RETR ", then CRLF, then NOOP. */
static void long_line(size_t size, size_t piece, char out[static OUTPUT_MAX]) {
    static char in[4 * COMMAND_LINE_MAX];
    size_t n = (size_t) snprintf(in, sizeof(in), "RETR ");

    memset(in + n, 'x', size);
    n += size;
    n += (size_t) snprintf(in + n, sizeof(in) - n, "\r\nNOOP\r\n");
    converse(in, n, piece, out);
}

static void long_lines_are_refused_once(void **state) {
    static const size_t pieces[] = { 1, 7, 512, COMMAND_LINE_MAX, 100000 };
    char out[OUTPUT_MAX];

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        long_line(COMMAND_LINE_MAX, pieces[i], out);
        assert_string_equal(out, "!too-long NOOP ");
        long_line(3 * COMMAND_LINE_MAX, pieces[i], out);
        assert_string_equal(out, "!too-long NOOP ");
    }
}

static void longest_path_fits(void **state) {
    char out[OUTPUT_MAX];

    long_line(4000, 512, out);
    assert_int_equal(strncmp(out, "RETR(xxx", 8), 0);
    long_line(COMMAND_LINE_MAX - sizeof("RETR \r\n") + 1, 1, out);
    assert_int_equal(strncmp(out, "RETR(xxx", 8), 0);
}

static void finds_a_verb_among_what_waits(void **state) {
    CommandReader r = { 0 };
    Command c;

    command_reader_feed(&r, "NOOP\r\nabo", 9);
    assert_false(command_reader_holds(&r, "ABOR"));
    command_reader_feed(&r, "r\r\nPWD ABOR\r\n", 13);
    assert_true(command_reader_holds(&r, "ABOR"));
    assert_true(command_reader_holds(&r, "PWD"));
    assert_int_equal(command_reader_next(&r, &c), 1);
    assert_true(command_reader_holds(&r, "ABOR"));
    assert_int_equal(command_reader_next(&r, &c), 1);
    assert_string_equal(c.verb, "ABOR");
    assert_false(command_reader_holds(&r, "ABOR"));
}

static void wipes(void **state) {
    CommandReader r = { 0 };
    Command c;

    command_reader_feed(&r, "PASS secret\r\n", 13);
    assert_int_equal(command_reader_next(&r, &c), 1);
    command_reader_wipe(&r);
    assert_null(memmem(&r, sizeof(r), "secret", 6));
    assert_int_equal(command_reader_space(&r), COMMAND_LINE_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations_come_out), cmocka_unit_test(long_lines_are_refused_once), cmocka_unit_test(longest_path_fits),
        cmocka_unit_test(finds_a_verb_among_what_waits),   cmocka_unit_test(wipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
