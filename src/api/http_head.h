/* The head of an HTTP/1 request (RFC 9112 sections 2 to 6) as its bytes come in: is it whole, and is it one that is looked at at all? Pure.
 *
 * libh2o reads the request; this says before it does what libh2o would answer with a closed connection or in words of its own. Whatever is
 * HTTP_HEAD_WHOLE here, libh2o's parser takes. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

#define HTTP_TARGET_MAX 8192 /* path and query */
#define HTTP_HEAD_MAX 32768  /* request line and headers */
#define HTTP_HEADERS_MAX 100 /* H2O_MAX_HEADERS */

typedef enum HttpHeadState {
    HTTP_HEAD_PART,        /* more has to come */
    HTTP_HEAD_WHOLE,       /* a body may follow */
    HTTP_HEAD_HTTP2,       /* the preface of HTTP/2 (RFC 9113 section 3.4): not ours */
    HTTP_HEAD_BAD,         /* 400 */
    HTTP_HEAD_LONG_TARGET, /* 414 */
    HTTP_HEAD_LARGE,       /* 431 */
} HttpHeadState;

typedef struct HttpHead {
    size_t seen;  /* bytes that were looked at, up to the end of a line */
    unsigned lines; /* the request line is the first */
    bool blank;   /* an empty line came before it */
    bool length, coding; /* Content-Length, Transfer-Encoding */
} HttpHead;

/* data: everything since the request's first byte, at least what it was told last time; `head` is all zero before the first. */
HttpHeadState http_head_look(HttpHead *head, const char *data, size_t size);
