/* The reader of KEY=value files: bytes in, pairs out. Which keys mean something is settings.c's business.
 *
 * Values only ever get shorter than their source, so all of them live in one copy of the text, which is wiped at the end. */
#include "model/env_file.h"

#include "basic/strings.h"

#include <errno.h>

typedef struct Pair {
    char *key, *value;
} Pair;

struct EnvFile {
    char *text; /* keys and values point into it */
    size_t size;
    Pair *pairs;
    size_t n, ignored;
};

/* Reads from `p`, writes to `to`: `to` never overtakes `p`. */
typedef struct Scanner {
    const char *p, *end;
    char *to;
} Scanner;

static bool is_blank_character(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_line(Scanner *s) {
    /* A comment's line is continued by a backslash too. */
    for (; s->p < s->end && *s->p != '\n'; s->p++)
        if (*s->p == '\\' && s->p + 1 < s->end)
            s->p++;
}

static bool is_key(const char *key) {
    if (*key >= '0' && *key <= '9')
        return false;
    for (const char *p = key; *p; p++)
        if (!(*p >= 'A' && *p <= 'Z') && !(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9') && *p != '_')
            return false;
    return *key != '\0';
}

static void read_single_quoted(Scanner *s) {
    for (s->p++; s->p < s->end && *s->p != '\''; s->p++)
        *s->to++ = *s->p;
    s->p += s->p < s->end;
}

static void read_double_quoted(Scanner *s) {
    for (s->p++; s->p < s->end && *s->p != '"'; s->p++) {
        if (*s->p == '\\' && s->p + 1 < s->end && strchr("\"\\`$\n", s->p[1])) {
            s->p++;
            if (*s->p == '\n')
                continue;
        }
        *s->to++ = *s->p;
    }
    s->p += s->p < s->end;
}

/* From behind '=' to the end of the line; leaves `p` at the newline and `to` behind the value. */
static void read_value(Scanner *s) {
    char *keep = s->to; /* up to here white space belongs to the value */

    while (s->p < s->end && is_blank_character(*s->p))
        s->p++;
    while (s->p < s->end && *s->p != '\n') {
        if (*s->p == '\'' || *s->p == '"') {
            if (*s->p == '\'')
                read_single_quoted(s);
            else
                read_double_quoted(s);
            keep = s->to;
        } else if (*s->p == '\\') {
            s->p++;
            if (s->p < s->end && *s->p != '\n') {
                *s->to++ = *s->p;
                keep = s->to;
            }
            s->p += s->p < s->end;
        } else {
            *s->to++ = *s->p;
            if (!is_blank_character(*s->p++))
                keep = s->to;
        }
    }
    s->to = keep;
}

/* One assignment; a key that is none is counted. */
static int read_pair(EnvFile *e, Scanner *s) {
    char *key = s->to;

    while (s->p < s->end && *s->p != '=' && *s->p != '\n')
        *s->to++ = *s->p++;
    if (s->p >= s->end || *s->p == '\n') {
        e->ignored++;
        return 0;
    }
    while (s->to > key && is_blank_character(s->to[-1]))
        s->to--;
    *s->to++ = '\0'; /* in the place of '=' at the latest */
    s->p++;

    char *value = s->to;
    read_value(s);
    if (!is_key(key)) {
        e->ignored++;
        return 0;
    }
    Pair *grown = reallocarray(e->pairs, e->n + 1, sizeof(Pair));
    if (!grown)
        return -ENOMEM;
    e->pairs = grown;
    e->pairs[e->n++] = (Pair) { key, value };
    return 0;
}

int env_file_parse(const char *text, size_t size, EnvFile **ret) {
    if (size > ENV_FILE_MAX)
        return -E2BIG;
    if (memchr(text, '\0', size))
        return -EINVAL;

    _cleanup_(env_file_freep) EnvFile *e = calloc(1, sizeof(EnvFile));
    if (!e)
        return -ENOMEM;
    e->size = size + 1;
    e->text = malloc(e->size);
    if (!e->text)
        return -ENOMEM;

    Scanner s = { .p = text, .end = text + size, .to = e->text };
    while (s.p < s.end) {
        if (is_blank_character(*s.p) || *s.p == '\n')
            s.p++;
        else if (*s.p == '#' || *s.p == ';')
            skip_line(&s);
        else {
            int r = read_pair(e, &s);
            if (r < 0)
                return r;
            *s.to++ = '\0'; /* in the place of the newline, or of the byte behind the end */
        }
    }
    *ret = TAKE_PTR(e);
    return 0;
}

const char *env_file_get(const EnvFile *e, const char *key) {
    for (size_t i = e->n; i-- > 0;)
        if (streq(e->pairs[i].key, key))
            return e->pairs[i].value;
    return NULL;
}

const char *env_file_key(const EnvFile *e, size_t i) {
    return i < e->n ? e->pairs[i].key : NULL;
}

size_t env_file_ignored(const EnvFile *e) {
    return e->ignored;
}

EnvFile *env_file_free(EnvFile *e) {
    if (!e)
        return NULL;
    if (e->text)
        wipe(e->text, e->size);
    free(e->text);
    free(e->pairs);
    free(e);
    return NULL;
}
