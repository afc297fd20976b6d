/* Takes a line of the transfer log apart. It trusts nothing in it, and knows of no file but by its name. */
#include "xferlog/line.h"

#include "basic/strings.h"
#include "model/account.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

typedef struct Word {
    const char *text;
    size_t size;
} Word;

enum { WORD_DATE, WORD_TIME, WORD_ADDRESS, WORD_METHOD, WORD_PATH, WORD_STATUS, WORD_ACCOUNT, WORD_BYTES, WORDS };

/* Exactly WORDS words with one space between them: no name of a stranger can hold a space here. */
static int split(const char *line, size_t size, Word ret[static WORDS]) {
    const char *end = line + size;

    for (size_t i = 0; i < WORDS; i++) {
        const char *space = memchr(line, ' ', (size_t) (end - line));
        if ((i == WORDS - 1) != !space)
            return -EBADMSG;
        ret[i] = (Word) { .text = line, .size = (size_t) ((space ? space : end) - line) };
        if (ret[i].size == 0)
            return -EBADMSG;
        line = space ? space + 1 : end;
    }
    return 0;
}

static bool is(Word w, const char *text) {
    return w.size == strlen(text) && memcmp(w.text, text, w.size) == 0;
}

/* The number between two places of a word whose length and separators are checked; -1: no digits. */
static int digits(const char *text, size_t n) {
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static int read_when(Word date, Word time, int64_t *ret) {
    if (date.size != 10 || date.text[4] != '-' || date.text[7] != '-' || time.size != 8 || time.text[2] != ':' || time.text[5] != ':')
        return -EBADMSG;
    struct tm tm = {
        .tm_year = digits(date.text, 4) - 1900, .tm_mon = digits(date.text + 5, 2) - 1, .tm_mday = digits(date.text + 8, 2),
        .tm_hour = digits(time.text, 2), .tm_min = digits(time.text + 3, 2), .tm_sec = digits(time.text + 6, 2),
    };
    if (tm.tm_year < 70 || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 || tm.tm_hour > 23 ||
        tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60)
        return -EBADMSG;
    *ret = timegm(&tm);
    return 0;
}

static int read_bytes(Word w, uint64_t *ret) {
    char text[24];

    if (w.size >= sizeof(text))
        return -EBADMSG;
    memcpy(text, w.text, w.size);
    text[w.size] = '\0';
    return parse_u64(text, LINE_BYTES_MAX, ret) < 0 ? -EBADMSG : 0;
}

static bool is_plain(char c) {
    return c > ' ' && c <= '~';
}

static int read_address(Word w, char ret[static ADDRESS_TEXT_MAX]) {
    if (w.size >= ADDRESS_TEXT_MAX)
        return -EBADMSG;
    for (size_t i = 0; i < w.size; i++)
        if (!is_plain(w.text[i]))
            return -EBADMSG;
    memcpy(ret, w.text, w.size);
    ret[w.size] = '\0';
    return 0;
}

/* The next byte behind %XX or a plain one; moves *at. -1: malformed. */
static int next_byte(Word w, size_t *at) {
    unsigned char byte;
    char hex[3];

    if (w.text[*at] != '%')
        return is_plain(w.text[*at]) ? w.text[(*at)++] : -1;
    if (w.size - *at < 3)
        return -1;
    memcpy(hex, w.text + *at + 1, 2);
    hex[2] = '\0';
    *at += 3;
    return hex_decode(hex, &byte, 1) < 0 || byte == '\0' || byte == '/' ? -1 : byte; /* no name has these two */
}

/* The path's next component, without the slashes before it, cut to `max` bytes plus NUL: what is longer is no name of ours. 1, 0 at the end, -EBADMSG. */
static int next_component(Word w, size_t *at, char *ret, size_t max) {
    size_t n = 0;
    bool any = false;

    while (*at < w.size) {
        size_t here = *at;
        int byte = next_byte(w, at);
        if (byte < 0)
            return -EBADMSG;
        if (byte == '/') {
            if (!any)
                continue;
            *at = here;
            break;
        }
        any = true;
        if (n <= max)
            ret[n++] = (char) byte;
    }
    ret[n] = '\0';
    return any;
}

/* As the account's row names its folder ("/data/ftp_x/./"), Pure-FTPd puts it before the rest: "." and "" are no components. */
static int next_name(Word w, size_t *at, char *ret, size_t max) {
    int r;

    do
        r = next_component(w, at, ret, max);
    while (r > 0 && streq(ret, "."));
    return r > 0 && streq(ret, "..") ? -ENOENT : r;
}

static int skip_data_path(Word w, size_t *at, const char *data_path) {
    char name[NAME_MAX + 2];

    while (*(data_path += strspn(data_path, "/")) != '\0') {
        size_t size = strcspn(data_path, "/");
        int r = next_name(w, at, name, NAME_MAX);
        if (r < 0)
            return r;
        if (r == 0 || strlen(name) != size || memcmp(name, data_path, size) != 0)
            return -ENOENT;
        data_path += size;
    }
    return 0;
}

/* <data path>/<account>/<id>/<something>: model/paths.h. */
static int read_place(Word path, const char *data_path, LogLine *ret) {
    char name[NAME_MAX + 2];
    size_t at = 0;
    int r;

    if (path.text[0] != '/')
        return -EBADMSG;
    r = skip_data_path(path, &at, data_path);
    if (r < 0)
        return r;
    r = next_name(path, &at, name, NAME_MAX);
    if (r <= 0 || !account_name_is_valid(name))
        return r < 0 ? r : -ENOENT;
    strcpy(ret->account, name);
    r = next_name(path, &at, name, NAME_MAX);
    if (r <= 0 || !id_is_valid(name))
        return r < 0 ? r : -ENOENT;
    strcpy(ret->id, name);
    r = next_name(path, &at, name, NAME_MAX);
    return r == 0 ? -ENOENT : r < 0 ? r : 0;
}

int line_parse(const char *line, size_t size, const char *data_path, LogLine *ret) {
    LogLine l = { 0 };
    Word words[WORDS];

    if (size > 0 && line[0] == '#') /* "#Fields: …", at each start of the server */
        return -ENOENT;
    int r = split(line, size, words);
    if (r >= 0)
        r = read_when(words[WORD_DATE], words[WORD_TIME], &l.when);
    if (r >= 0)
        r = read_address(words[WORD_ADDRESS], l.address);
    if (r >= 0)
        r = read_bytes(words[WORD_BYTES], &l.bytes);
    if (r < 0)
        return r;
    if (is(words[WORD_METHOD], "[]created"))
        return -ENOENT;
    if (!is(words[WORD_METHOD], "[]sent") || !is(words[WORD_STATUS], "226"))
        return -EBADMSG;
    r = read_place(words[WORD_PATH], data_path, &l);
    if (r < 0)
        return r;
    if (!is(words[WORD_ACCOUNT], l.account)) /* somebody who may look into other people's homes */
        return -ENOENT;
    *ret = l;
    return 0;
}
