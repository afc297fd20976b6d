/* Heads of requests, line by line: sizes, and the form that RFC 9112 demands where readers of it are known to differ. It knows no socket and no answer. */
#include "api/http_head.h"

#include "basic/strings.h"

#include <strings.h>

#define METHOD_MAX 32
#define REQUEST_LINE_MAX (METHOD_MAX + HTTP_TARGET_MAX + 11) /* "METHOD target HTTP/1.1" and the line's end */

static bool is_token_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (!is_token_char(text[i]))
            return false;
    return size > 0;
}

/* Without control characters; a tab only in a header's value. */
static bool is_clean(const char *text, size_t size, bool tab) {
    for (size_t i = 0; i < size; i++)
        if (((unsigned char) text[i] < ' ' && !(tab && text[i] == '\t')) || text[i] == 0x7f)
            return false;
    return true;
}

static HttpHeadState look_at_request_line(const char *line, size_t size) {
    const char *space = memchr(line, ' ', size), *last = memrchr(line, ' ', size);

    if (!space || space == last || (size_t) (space - line) > METHOD_MAX || !is_token(line, (size_t) (space - line)))
        return HTTP_HEAD_BAD;
    const char *target = space + 1, *version = last + 1;
    size_t target_size = (size_t) (last - target), version_size = size - (size_t) (version - line);
    if (target_size > HTTP_TARGET_MAX)
        return HTTP_HEAD_LONG_TARGET;
    if (target_size == 0 || memchr(target, ' ', target_size) || !is_clean(target, target_size, false))
        return HTTP_HEAD_BAD;
    return version_size == 8 && memcmp(version, "HTTP/1.", 7) == 0 && version[7] >= '0' && version[7] <= '9' ? HTTP_HEAD_PART : HTTP_HEAD_BAD;
}

static bool is_named(const char *name, size_t size, const char *wanted) {
    return size == strlen(wanted) && strncasecmp(name, wanted, size) == 0;
}

/* Two lengths, or a length and a coding: a proxy before us may take the other one, and what it thinks the body is we would take for a request. A line
 * that begins with a space continues the one before for some and not for others. */
static HttpHeadState look_at_header(HttpHead *head, const char *line, size_t size) {
    const char *colon = memchr(line, ':', size);
    size_t name_size = colon ? (size_t) (colon - line) : 0;

    if (head->lines > HTTP_HEADERS_MAX)
        return HTTP_HEAD_LARGE;
    if (!is_token(line, name_size) || !is_clean(colon + 1, size - name_size - 1, true))
        return HTTP_HEAD_BAD;
    bool length = is_named(line, name_size, "content-length"), coding = is_named(line, name_size, "transfer-encoding");
    if ((length || coding) && (head->length || head->coding))
        return HTTP_HEAD_BAD;
    head->length = head->length || length;
    head->coding = head->coding || coding;
    return HTTP_HEAD_PART;
}

/* size: without the line's end. */
static HttpHeadState look_at_line(HttpHead *head, const char *line, size_t size) {
    if (size == 0 && head->lines > 0)
        return HTTP_HEAD_WHOLE;
    if (size == 0) { /* RFC 9112 section 2.2 allows for one */
        if (head->blank)
            return HTTP_HEAD_BAD;
        head->blank = true;
        return HTTP_HEAD_PART;
    }
    HttpHeadState state = head->lines == 0 ? look_at_request_line(line, size) : look_at_header(head, line, size);
    head->lines++;
    return state;
}

/* Of a line whose end has not come yet: is it too long already? */
static HttpHeadState look_at_rest(const HttpHead *head, const char *rest, size_t size) {
    if (head->lines == 0 && size > REQUEST_LINE_MAX)
        return memchr(rest, ' ', METHOD_MAX + 1) ? HTTP_HEAD_LONG_TARGET : HTTP_HEAD_BAD;
    return HTTP_HEAD_PART;
}

HttpHeadState http_head_look(HttpHead *head, const char *data, size_t size) {
    static const char preface[] = "PRI * HTTP/2";
    size_t preface_size = sizeof(preface) - 1;

    if (head->seen == 0 && memcmp(data, preface, size < preface_size ? size : preface_size) == 0)
        return size < preface_size ? HTTP_HEAD_PART : HTTP_HEAD_HTTP2;
    for (const char *end; (end = memchr(data + head->seen, '\n', size - head->seen));) {
        const char *line = data + head->seen;
        size_t line_size = (size_t) (end - line);

        head->seen += line_size + 1;
        if (head->seen > HTTP_HEAD_MAX)
            return HTTP_HEAD_LARGE;
        HttpHeadState state = look_at_line(head, line, line_size > 0 && end[-1] == '\r' ? line_size - 1 : line_size);
        if (state != HTTP_HEAD_PART)
            return state;
    }
    HttpHeadState state = look_at_rest(head, data + head->seen, size - head->seen);
    return state == HTTP_HEAD_PART && size > HTTP_HEAD_MAX ? HTTP_HEAD_LARGE : state;
}
