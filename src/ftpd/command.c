/* Takes lines out of a stream of bytes and splits them into verb and argument; Telnet sequences are dropped on the way in.
 *
 * It knows no command's meaning, reads no socket and keeps nothing but what has not been taken yet. The buffer holds whole
 * pipelined lines; a line that does not fit is dropped up to its end and reported once. */
#include "ftpd/command.h"

#include "basic/strings.h"

#include <errno.h>

#define IAC 255
#define SE 240
#define SB 250
#define WILL 251
#define DONT 254

bool command_reader_is_empty(const CommandReader *r) {
    return r->begin == r->end && !r->too_long;
}

size_t command_reader_space(const CommandReader *r) {
    return sizeof(r->data) - (r->end - r->begin);
}

/* RFC 854: how many bytes of text there are now, in ret. What no Telnet command begins with is text of clients that know nothing of Telnet: a name in Latin-1. */
static size_t telnet_filter(CommandReader *r, unsigned char c, char ret[static 2]) {
    switch (r->telnet) {
    case TELNET_TEXT:
        r->telnet = c == IAC ? TELNET_IAC : TELNET_TEXT;
        ret[0] = (char) c;
        return c != IAC;
    case TELNET_IAC:
        r->telnet = c == SB ? TELNET_SUB : c >= WILL && c <= DONT ? TELNET_OPTION : TELNET_TEXT;
        ret[0] = (char) IAC;
        ret[1] = (char) c;
        return c == IAC ? 1 : c < SE ? 2 : 0;
    case TELNET_OPTION:
        r->telnet = TELNET_TEXT;
        return 0;
    case TELNET_SUB:
        if (c == IAC)
            r->telnet = TELNET_SUB_IAC;
        return 0;
    case TELNET_SUB_IAC:
        r->telnet = c == SE ? TELNET_TEXT : TELNET_SUB;
        return 0;
    }
    return 0;
}

void command_reader_feed(CommandReader *r, const char *data, size_t size) {
    if (r->begin > 0) {
        memmove(r->data, r->data + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->begin = 0;
    }
    for (size_t i = 0; i < size; i++) {
        char text[2];
        size_t n = telnet_filter(r, (unsigned char) data[i], text);
        if (n == 2 && r->end + 2 + (size - i - 1) > sizeof(r->data)) /* an IAC of before, and no room was kept for it */
            text[0] = text[--n];
        memcpy(r->data + r->end, text, n);
        r->end += n;
    }

    /* Full without a line: only its last byte's neighbourhood matters from here on. */
    if (r->end == sizeof(r->data) && !memchr(r->data, '\n', r->end)) {
        r->too_long = true;
        r->end = 0;
    }
}

static char *line_end(const CommandReader *r) {
    return memchr(r->data + r->begin, '\n', r->end - r->begin);
}

/* The length of a verb in upper case, 0 when the text doesn't begin with one. */
static size_t parse_verb(const char *text, size_t size, char ret[static VERB_MAX + 1]) {
    size_t n = 0;

    for (; n < size && text[n] != ' '; n++) {
        char c = text[n] >= 'a' && text[n] <= 'z' ? (char) (text[n] - 'a' + 'A') : text[n];
        if (n == VERB_MAX || c < 'A' || c > 'Z') {
            n = 0;
            break;
        }
        ret[n] = c;
    }
    ret[n] = '\0';
    return n;
}

int command_reader_next(CommandReader *r, Command *ret) {
    char *end = line_end(r);
    if (!end) {
        if (!r->too_long)
            return 0;
        r->begin = r->end = 0; /* the middle of a line that is being dropped */
        return 0;
    }

    char *line = r->data + r->begin;
    size_t size = (size_t) (end - line);
    r->begin += size + 1;
    if (r->too_long) {
        r->too_long = false;
        return -E2BIG;
    }
    if (size > 0 && line[size - 1] == '\r')
        size--;
    line[size] = '\0';
    if (memchr(line, '\0', size) || memchr(line, '\r', size))
        return -EBADMSG;

    parse_verb(line, size, ret->verb);
    char *space = memchr(line, ' ', size);
    ret->argument = space ? space + 1 : NULL;
    return 1;
}

bool command_reader_holds(const CommandReader *r, const char *verb) {
    const char *line = r->data + r->begin, *end;
    bool dropped = r->too_long; /* the first line is the rest of one that is gone */

    for (; (end = memchr(line, '\n', (size_t) (r->data + r->end - line))); line = end + 1, dropped = false) {
        char found[VERB_MAX + 1];
        size_t size = (size_t) (end - line);
        if (size > 0 && line[size - 1] == '\r')
            size--;
        if (!dropped && parse_verb(line, size, found) > 0 && streq(found, verb))
            return true;
    }
    return false;
}

void command_reader_wipe(CommandReader *r) {
    wipe(r->data, sizeof(r->data));
    r->begin = r->end = 0;
}
