/* Makes and sends replies: the code, the text, nothing a file name could break out of.
 *
 * Which code says what is the command handlers' business. */
#include "ftpd/reply.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define IAC '\xff'
#define LINE_END_SIZE 2 /* CRLF */

static void put(Reply *r, char c) {
    if (r->size < sizeof(r->text) - LINE_END_SIZE)
        r->text[r->size++] = c;
}

static void put_text(Reply *r, const char *text) {
    for (; *text; text++) {
        if (*text == IAC)
            put(r, IAC);
        put(r, *text == '\r' || *text == '\n' ? '?' : *text);
    }
}

static void put_line_end(Reply *r) {
    if (r->size > sizeof(r->text) - LINE_END_SIZE)
        r->size = sizeof(r->text) - LINE_END_SIZE;
    memcpy(r->text + r->size, "\r\n", LINE_END_SIZE);
    r->size += LINE_END_SIZE;
}

static void put_code(Reply *r, int code, char separator) {
    const char start[] = { (char) ('0' + code / 100), (char) ('0' + code / 10 % 10), (char) ('0' + code % 10), separator, '\0' };
    put_text(r, start);
}

/* A line longer than the buffer is cut by vsnprintf; what is left of r's room cuts it once more. */
_printf_(2, 0)
static void put_printed(Reply *r, const char *format, va_list args) {
    char text[REPLY_MAX / 2];

    vsnprintf(text, sizeof(text), format, args);
    put_text(r, text);
}

/* Most replies are words. printf would fault in ten pages of code and stack for them, in every new process. */
_printf_(2, 0)
static void put_formatted(Reply *r, const char *format, va_list args) {
    if (!strchr(format, '%'))
        put_text(r, format);
    else if (strcmp(format, "%s") == 0)
        put_text(r, va_arg(args, const char *));
    else
        put_printed(r, format, args);
    put_line_end(r);
}

void reply_line(Reply *r, int code, bool more, const char *format, ...) {
    va_list args;

    put_code(r, code, more ? '-' : ' ');
    va_start(args, format);
    put_formatted(r, format, args);
    va_end(args);
}

void reply_item(Reply *r, const char *format, ...) {
    va_list args;

    put(r, ' ');
    va_start(args, format);
    put_formatted(r, format, args);
    va_end(args);
}

static int send_all(int fd, const char *p, size_t left) {
    while (left > 0) {
        ssize_t n = send(fd, p, left, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            p += n;
            left -= (size_t) n;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return -errno;
        struct pollfd pfd = { .fd = fd, .events = POLLOUT };
        int k = poll(&pfd, 1, REPLY_TIMEOUT_MS);
        if (k < 0 && errno != EINTR)
            return -errno;
        if (k == 0)
            return -ETIMEDOUT;
    }
    return 0;
}

int reply_send(int fd, const Reply *r) {
    return send_all(fd, r->text, r->size);
}

void reply_now(int fd, int code, const char *text) {
    Reply r;

    r.size = 0;
    reply_line(&r, code, false, "%s", text);
    (void) !send(fd, r.text, r.size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int reply_text(int fd, const char *data, size_t size) {
    static const char twice[] = { IAC, IAC };
    int r = 0;

    while (size > 0 && r >= 0) {
        const char *iac = memchr(data, IAC, size);
        size_t n = iac ? (size_t) (iac - data) : size;
        r = send_all(fd, data, n);
        if (r >= 0 && iac)
            r = send_all(fd, twice, sizeof(twice));
        data += n + !!iac;
        size -= n + !!iac;
    }
    return r;
}

int reply(int fd, int code, const char *format, ...) {
    Reply r;
    va_list args;

    r.size = 0;
    put_code(&r, code, ' ');
    va_start(args, format);
    put_formatted(&r, format, args);
    va_end(args);
    return reply_send(fd, &r);
}
