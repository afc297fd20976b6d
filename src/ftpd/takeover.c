/* An interpreter of system calls for tests of the jail: whatever an intruder's machine code could ask of the kernel, a client can ask for here.
 *
 * It adds no rights, no memory that is executable and no hole in the filters: the jail around it is that of every other build. It knows no test. */
#include "ftpd/takeover.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMORY_SIZE (64 << 10)
#define ARGUMENTS 6
#define GET_MAX 2048

static unsigned char memory[MEMORY_SIZE]; /* the one state that outlives a command; in builds for tests only */

/* The next word as a number or an address; 0 when there is none. */
static long take_word(char **text) {
    *text += strspn(*text, " ");
    bool address = **text == '@';
    unsigned long value = strtoul(*text + address, text, 0); /* takes a sign, too */
    return (long) (address ? (uintptr_t) memory + value : value);
}

static void do_call(char *argument, char ret[static TAKEOVER_ANSWER_MAX]) {
    long times = take_word(&argument), call = take_word(&argument), a[ARGUMENTS], r;

    for (size_t i = 0; i < ARGUMENTS; i++)
        a[i] = take_word(&argument);
    do
        r = syscall(call, a[0], a[1], a[2], a[3], a[4], a[5]);
    while (r != -1 && --times > 0);
    snprintf(ret, TAKEOVER_ANSWER_MAX, "%ld", r == -1 ? -errno : r);
}

static int nibble(char c) {
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

static void do_put(char *argument, char ret[static TAKEOVER_ANSWER_MAX]) {
    unsigned char *to = (unsigned char *) take_word(&argument);

    argument += strspn(argument, " ");
    for (; argument[0] && argument[1]; argument += 2)
        *to++ = (unsigned char) (nibble(argument[0]) << 4 | nibble(argument[1]));
    strcpy(ret, "0");
}

static void do_get(char *argument, char ret[static TAKEOVER_ANSWER_MAX]) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = (const unsigned char *) take_word(&argument);
    size_t size = (size_t) take_word(&argument), n = 0;

    for (size_t i = 0; i < size && i < GET_MAX; i++) {
        ret[n++] = digits[from[i] >> 4];
        ret[n++] = digits[from[i] & 15];
    }
    ret[n] = '\0';
}

static void do_where(char *argument, char ret[static TAKEOVER_ANSWER_MAX]) {
    snprintf(ret, TAKEOVER_ANSWER_MAX, "%lu %lu", (unsigned long) (uintptr_t) memory, (unsigned long) (uintptr_t) ret);
}

typedef void (*Order)(char *argument, char ret[static TAKEOVER_ANSWER_MAX]);

static int obey(Conversation *c, char *argument, Order order) {
    char answer[TAKEOVER_ANSWER_MAX];

    order(argument, answer);
    return reply(c->fd, 200, "%s", answer);
}

int takeover_call(Conversation *c, char *argument) {
    return obey(c, argument, do_call);
}

int takeover_put(Conversation *c, char *argument) {
    return obey(c, argument, do_put);
}

int takeover_get(Conversation *c, char *argument) {
    return obey(c, argument, do_get);
}

int takeover_where(Conversation *c, char *argument) {
    return obey(c, argument, do_where);
}

/* "PREFIX ORDER …", CR LF at its end: an order that is carried out, its answer in ret. */
static bool obey_line(const char *prefix, const char *data, size_t size, char ret[static TAKEOVER_ANSWER_MAX]) {
    static const struct {
        const char *name;
        Order order;
    } orders[] = { { "XSYS", do_call }, { "XPUT", do_put }, { "XGET", do_get }, { "XWHERE", do_where } };
    char line[TAKEOVER_ANSWER_MAX], answer[TAKEOVER_ANSWER_MAX];
    size_t start = strlen(prefix);

    if (size < start + 2 || size >= sizeof(line) || memcmp(data, prefix, start) != 0)
        return false;
    memcpy(line, data, size);
    line[size - 2] = '\0'; /* CR LF */
    for (size_t i = 0; i < ELEMENTS(orders); i++) {
        size_t n = strlen(orders[i].name);
        if (strncmp(line + start, orders[i].name, n) != 0)
            continue;
        orders[i].order(line + start + n, answer);
        snprintf(ret, TAKEOVER_ANSWER_MAX, "200 %.4100s\r\n", answer);
        return true;
    }
    return false;
}

bool takeover_relay(const char *data, size_t size, char ret[static TAKEOVER_ANSWER_MAX]) {
    return obey_line("XRELAY ", data, size, ret);
}

bool takeover_keeper(int fd) {
    char line[TAKEOVER_ANSWER_MAX], answer[TAKEOVER_ANSWER_MAX];

    ssize_t n = recv(fd, line, sizeof(line), MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0 || !obey_line("XKEEPER ", line, (size_t) n, answer))
        return false;
    (void) !recv(fd, line, sizeof(line), MSG_DONTWAIT);
    (void) !send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    return true;
}
