/* Small questions about text. Nothing here allocates unless it says so. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool streq(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}
bool streq_null(const char *a, const char *b); /* NULL equals NULL only */
bool has_prefix(const char *text, const char *prefix);
bool has_suffix(const char *text, const char *suffix);
bool is_blank(const char *text); /* NULL, empty, or only white space */
bool path_climbs(const char *path); /* one of its components is ".."; "a..1" is a name like others */

/* Whole text, decimal digits only, no sign, at most max. -EINVAL, -ERANGE. */
int parse_u64(const char *text, uint64_t max, uint64_t *ret) _must_use_;
/* "1|0|yes|no|true|false|on|off|si|sí" → bool. -EINVAL. */
int parse_bool(const char *text, bool *ret) _must_use_;

/* Valid UTF-8 per RFC 3629 (no surrogates, no overlongs)? */
bool utf8_is_valid(const char *text, size_t size);
/* As much of the text as fits into size bytes with its NUL, no letter cut in two (what is no UTF-8 is cut before it). */
void text_cut(const char *text, char *ret, size_t size);
/* One code point from text[0..size); returns its length, -EILSEQ when malformed. */
int utf8_decode(const char *text, size_t size, uint32_t *ret_point);

void hex_encode(const void *data, size_t size, char *ret); /* ret: 2*size+1 bytes */
int hex_decode(const char *text, void *ret, size_t size) _must_use_; /* exactly 2*size digits, else -EINVAL */

/* A heap list of strings from "a, b,,c": trimmed, empty ones dropped, NULL-terminated. -ENOMEM, -E2BIG past max entries. */
int strv_split(const char *text, char separator, size_t max, char ***ret) _must_use_;
char **strv_free(char **list);
bool strv_contains(char *const *list, const char *text);
DEFINE_CLEANUP(char *, strv_free)
#define _cleanup_strv_ _cleanup_(strv_freep)

/* Overwrites memory in a way the compiler keeps. */
void wipe(void *data, size_t size);
/* Wipes and frees a secret string; NULL is fine. */
void wipe_free(char *secret);
/* free() of memory that may have held a secret, whatever its size: for libraries that ask for such a function. */
void free_wiped(void *memory);
static inline void wipe_freep(char **secret) {
    wipe_free(*secret);
}
