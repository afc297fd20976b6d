/* Replies on the control channel. RFC 959 section 4.2: "code text CRLF", multi-line as "code-", " …", "code ".
 *
 * Formatting is pure: CR and LF inside a text become '?', byte 255 is doubled (RFC 854). Sending never blocks for longer than
 * REPLY_TIMEOUT_MS: a client that doesn't read its replies loses its connection. */
#pragma once

#include "basic/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define REPLY_MAX 9216 /* a path of 4096 bytes with every byte doubled, and words around it */
#define REPLY_TIMEOUT_MS 30000

/* A reply in the making; one that does not fit is cut, its end always stands. */
typedef struct Reply {
    size_t size; /* before the text: most replies fit on the page that this lies on, and a new process has to be given every page that it touches */
    char text[REPLY_MAX];
} Reply;

/* "code text" or, with `more`, "code-text". */
void reply_line(Reply *r, int code, bool more, const char *format, ...) _printf_(4, 5);
/* A middle line: " text". */
void reply_item(Reply *r, const char *format, ...) _printf_(2, 3);
/* 0, -ETIMEDOUT, or the socket's error (-EPIPE, -ECONNRESET). */
int reply_send(int fd, const Reply *r) _must_use_;
/* Lines between the first and the last of a long reply, as they are, byte 255 doubled. */
int reply_text(int fd, const char *data, size_t size) _must_use_;
/* One line, for who serves others too: a client who has left no room for it goes without. */
void reply_now(int fd, int code, const char *text);
/* One line, made and sent. */
int reply(int fd, int code, const char *format, ...) _printf_(3, 4) _must_use_;
