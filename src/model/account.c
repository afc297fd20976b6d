/* The name of an FTP account, made from an address and its digest. Which names are taken is the store's business. */
#include "model/account.h"

#include "basic/strings.h"

#include <errno.h>

#define PREFIX "ftp_"
#define LOCAL_MAX 32

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648, lower case */

static bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Character i of the digest's base-32 form: bits 5i to 5i+4. */
static char base32_character(const uint8_t *digest, size_t i) {
    size_t bit = 5 * i, byte = bit / 8;
    unsigned pair = (unsigned) digest[byte] << 8 | digest[byte + 1];
    return base32[pair >> (11 - bit % 8) & 31];
}

int account_name_make(const char *email, const uint8_t sha256[static 32], size_t suffix_length,
                      char ret[static ACCOUNT_NAME_MAX + 1]) {
    if (suffix_length < ACCOUNT_SUFFIX_MIN || suffix_length > ACCOUNT_SUFFIX_MAX)
        return -ERANGE;

    char *p = stpcpy(ret, PREFIX);
    const char *local = p;
    for (; *email && *email != '@' && p - local < LOCAL_MAX; email++) {
        char c = *email >= 'A' && *email <= 'Z' ? (char) (*email + ('a' - 'A')) : *email;
        if (is_name_character(c))
            *p++ = c;
    }
    if (p == local)
        *p++ = 'x';
    *p++ = '_';
    for (size_t i = 0; i < suffix_length; i++)
        *p++ = base32_character(sha256, i);
    *p = '\0';
    return 0;
}

bool account_name_is_valid(const char *name) {
    if (!has_prefix(name, PREFIX))
        return false;

    const char *p = name + strlen(PREFIX), *local = p;
    while (is_name_character(*p))
        p++;
    if (p == local || p - local > LOCAL_MAX || *p != '_')
        return false;
    size_t suffix = strspn(++p, base32);
    return suffix >= ACCOUNT_SUFFIX_MIN && suffix <= ACCOUNT_SUFFIX_MAX && p[suffix] == '\0';
}
