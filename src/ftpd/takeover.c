/* An interpreter of system calls for tests of the jail: whatever an intruder's machine code could ask of the kernel, a client can ask for here.
 *
 * It adds no rights, no memory that is executable and no hole in the filters: the jail around it is that of every other build. It knows no test. */
#include "ftpd/takeover.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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

int takeover_call(Conversation *c, char *argument) {
    long call = take_word(&argument), a[ARGUMENTS];

    for (size_t i = 0; i < ARGUMENTS; i++)
        a[i] = take_word(&argument);
    long r = syscall(call, a[0], a[1], a[2], a[3], a[4], a[5]);
    return reply(c->fd, 200, "%ld", r == -1 ? -errno : r);
}

static int nibble(char c) {
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

int takeover_put(Conversation *c, char *argument) {
    unsigned char *to = (unsigned char *) take_word(&argument);

    argument += strspn(argument, " ");
    for (; argument[0] && argument[1]; argument += 2)
        *to++ = (unsigned char) (nibble(argument[0]) << 4 | nibble(argument[1]));
    return reply(c->fd, 200, "0");
}

int takeover_get(Conversation *c, char *argument) {
    static const char digits[] = "0123456789abcdef";
    char text[2 * GET_MAX + 1];
    const unsigned char *from = (const unsigned char *) take_word(&argument);
    size_t size = (size_t) take_word(&argument), n = 0;

    for (size_t i = 0; i < size && i < GET_MAX; i++) {
        text[n++] = digits[from[i] >> 4];
        text[n++] = digits[from[i] & 15];
    }
    text[n] = '\0';
    return reply(c->fd, 200, "%s", text);
}

int takeover_where(Conversation *c, char *argument) {
    return reply(c->fd, 200, "%lu %lu", (unsigned long) (uintptr_t) memory, (unsigned long) (uintptr_t) &argument);
}
