/* Small questions about text: numbers, booleans, UTF-8, hex, lists.
 *
 * Locale-free on purpose: what counts as a digit or a letter never depends on the machine's language. It knows no
 * setting, no request and no file. */
#include "basic/strings.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <strings.h>

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool streq_null(const char *a, const char *b) {
    return a && b ? streq(a, b) : a == b;
}

bool has_prefix(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool has_suffix(const char *text, const char *suffix) {
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && streq(text + n - m, suffix);
}

bool is_blank(const char *text) {
    if (!text)
        return true;
    while (is_space(*text))
        text++;
    return *text == '\0';
}

bool path_climbs(const char *path) {
    for (const char *p = path; p; p = strchr(p, '/')) {
        p += *p == '/';
        if (has_prefix(p, "..") && (p[2] == '/' || p[2] == '\0'))
            return true;
    }
    return false;
}

int parse_u64(const char *text, uint64_t max, uint64_t *ret) {
    uint64_t value = 0;
    bool overflow = false;

    if (*text == '\0')
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        /* Go on to the end after an overflow: "99…9x" is malformed, not large. */
        overflow = overflow || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
                   __builtin_add_overflow(value, (uint64_t) (*text - '0'), &value);
    }
    if (overflow || value > max)
        return -ERANGE;

    *ret = value;
    return 0;
}

int parse_bool(const char *text, bool *ret) {
    static const struct {
        const char *text;
        bool value;
    } words[] = {
        { "1", true },  { "yes", true },  { "true", true },   { "on", true },   { "si", true },
        { "sí", true }, { "sÍ", true },   { "0", false },     { "no", false },  { "false", false },
        { "off", false },
    };

    for (size_t i = 0; i < ELEMENTS(words); i++)
        if (strcasecmp(text, words[i].text) == 0) {
            *ret = words[i].value;
            return 0;
        }
    return -EINVAL;
}

int utf8_decode(const char *text, size_t size, uint32_t *ret_point) {
    const uint8_t *s = (const uint8_t *) text;

    if (size == 0)
        return -EILSEQ;
    if (s[0] < 0x80) {
        *ret_point = s[0];
        return 1;
    }

    /* RFC 3629, section 4: the first byte tells the length and bounds the second, which rules out overlongs,
     * surrogates and points above U+10FFFF. */
    int length;
    uint8_t low = 0x80, high = 0xBF;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        length = 2;
    else if ((s[0] & 0xF0) == 0xE0) {
        length = 3;
        if (s[0] == 0xE0)
            low = 0xA0;
        else if (s[0] == 0xED)
            high = 0x9F;
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        length = 4;
        if (s[0] == 0xF0)
            low = 0x90;
        else if (s[0] == 0xF4)
            high = 0x8F;
    } else
        return -EILSEQ;

    if ((size_t) length > size || s[1] < low || s[1] > high)
        return -EILSEQ;
    uint32_t point = s[0] & (0xFFu >> (length + 1));
    for (int i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return -EILSEQ;
        point = point << 6 | (s[i] & 0x3F);
    }
    *ret_point = point;
    return length;
}

bool utf8_is_valid(const char *text, size_t size) {
    while (size > 0) {
        uint32_t point;
        int length = utf8_decode(text, size, &point);
        if (length < 0)
            return false;
        text += length;
        size -= (size_t) length;
    }
    return true;
}

void text_cut(const char *text, char *ret, size_t size) {
    size_t length = strnlen(text, size - 1);

    while (length > 0 && !utf8_is_valid(text, length))
        length--;
    memcpy(ret, text, length);
    ret[length] = '\0';
}

void hex_encode(const void *data, size_t size, char *ret) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        *ret++ = digits[bytes[i] >> 4];
        *ret++ = digits[bytes[i] & 15];
    }
    *ret = '\0';
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -EINVAL;
}

int hex_decode(const char *text, void *ret, size_t size) {
    uint8_t *bytes = ret;

    if (strlen(text) != 2 * size)
        return -EINVAL;
    for (size_t i = 0; i < 2 * size; i++) /* all first: ret stays untouched on failure */
        if (hex_digit(text[i]) < 0)
            return -EINVAL;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t) (hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return 0;
}

int strv_split(const char *text, char separator, size_t max, char ***ret) {
    _cleanup_strv_ char **list = calloc(1, sizeof(char *));
    size_t n = 0;

    if (!list)
        return -ENOMEM;
    while (*text) {
        const char *end = strchrnul(text, separator), *last = end;
        while (text < last && is_space(*text))
            text++;
        while (last > text && is_space(last[-1]))
            last--;
        if (last > text) {
            if (n >= max)
                return -E2BIG;
            char **grown = reallocarray(list, n + 2, sizeof(char *));
            if (!grown)
                return -ENOMEM;
            list = grown;
            list[n] = strndup(text, (size_t) (last - text));
            list[n + 1] = NULL;
            if (!list[n++])
                return -ENOMEM;
        }
        text = *end ? end + 1 : end;
    }
    *ret = TAKE_PTR(list);
    return 0;
}

char **strv_free(char **list) {
    if (list)
        for (char **p = list; *p; p++)
            free(*p);
    free(list);
    return NULL;
}

bool strv_contains(char *const *list, const char *text) {
    if (list)
        for (; *list; list++)
            if (streq(*list, text))
                return true;
    return false;
}

void wipe(void *data, size_t size) {
    if (size > 0)
        explicit_bzero(data, size);
}

void wipe_free(char *secret) {
    if (secret)
        wipe(secret, strlen(secret));
    free(secret);
}

void free_wiped(void *memory) {
    if (!memory)
        return;
    wipe(memory, malloc_usable_size(memory));
    free(memory);
}
