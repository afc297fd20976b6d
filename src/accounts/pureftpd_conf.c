/* Lines of "Keyword value"; '#' begins a comment. Which values are good is not known here. */
#include "accounts/pureftpd_conf.h"

#include "basic/strings.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

typedef struct Piece {
    const char *at;
    size_t size;
} Piece;

static bool is_blank_byte(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static Piece trim(Piece p) {
    while (p.size > 0 && is_blank_byte(p.at[0])) {
        p.at++;
        p.size--;
    }
    while (p.size > 0 && is_blank_byte(p.at[p.size - 1]))
        p.size--;
    return p;
}

static bool piece_is(Piece p, const char *word) {
    return p.size == strlen(word) && strncasecmp(p.at, word, p.size) == 0;
}

/* As a whole word, in any case: column names are the same to MariaDB in any. */
static bool has_word(Piece p, const char *word) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= p.size; i++) {
        bool begins = i == 0 || !memchr(letters, p.at[i - 1], sizeof(letters) - 1);
        bool ends = i + n == p.size || !memchr(letters, p.at[i + n], sizeof(letters) - 1);
        if (begins && ends && strncasecmp(p.at + i, word, n) == 0)
            return true;
    }
    return false;
}

static int take_crypt(Piece value, PureftpdConf *conf) {
    if (value.size == 0 || value.size >= sizeof(conf->crypt))
        return -EINVAL;
    if (conf->crypt[0] && !piece_is(value, conf->crypt))
        return -EINVAL;
    memcpy(conf->crypt, value.at, value.size);
    conf->crypt[value.size] = '\0';
    return 0;
}

int pureftpd_conf_parse(const char *text, size_t size, PureftpdConf *ret) {
    PureftpdConf conf = { 0 };

    if (memchr(text, '\0', size))
        return -EINVAL;
    for (const char *end = text + size, *next; text < end; text = next) {
        const char *newline = memchr(text, '\n', (size_t) (end - text));
        Piece line = trim((Piece) { text, (size_t) ((newline ? newline : end) - text) }), keyword = line;

        next = newline ? newline + 1 : end;
        if (line.size == 0 || line.at[0] == '#')
            continue;
        for (keyword.size = 0; keyword.size < line.size && !is_blank_byte(line.at[keyword.size]); keyword.size++)
            ;
        Piece value = trim((Piece) { line.at + keyword.size, line.size - keyword.size });
        if (piece_is(keyword, "MYSQLCrypt") && take_crypt(value, &conf) < 0)
            return -EINVAL;
        if (piece_is(keyword, "MYSQLGetPW")) {
            conf.asks_status = has_word(value, "Status");
            conf.asks_expires = has_word(value, "Expires");
        }
    }
    *ret = conf;
    return 0;
}
