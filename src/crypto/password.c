/* Passwords, digests, random bytes: libsodium behind plain names.
 *
 * Whose password it is, and how often someone may try, is not known here. */
#include "crypto/password.h"

#include "basic/strings.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>

_Static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "a hash is one of libsodium's strings");

#define OPSLIMIT crypto_pwhash_OPSLIMIT_MIN
#define MEMLIMIT crypto_pwhash_MEMLIMIT_MIN
#define SALT_MIN 8 /* libsodium's ARGON2_MIN_SALT_LENGTH and ARGON2_MIN_OUTLEN */
#define DIGEST_MIN 16

/* What unknown accounts are checked against: same cost as OPSLIMIT and MEMLIMIT give, of a password that nobody kept. */
static const char dummy_hash[] = "$argon2id$v=19$m=8,t=1,p=1$8bgc+I8dWairlMe7M7XZiQ$K9teiAPqEdtCzNMDJ8B8Ug2IMIphA8Xms9kB8l466mI";
/* The same for users of the API. */
static const char user_dummy_hash[] =
    "$argon2id$v=19$m=65536,t=2,p=1$OPyX8vXnGv2tVoAOt1I/Gg$e8SGdvuICCM4vXR0b6KrKfKFHObnjiKxMJJKXgCzT/w";

int crypto_init(void) {
    return sodium_init() < 0 ? -EIO : 0;
}

void password_generate(char ret[static PASSWORD_LENGTH + 1]) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    for (size_t i = 0; i < PASSWORD_LENGTH; i++)
        ret[i] = letters[randombytes_uniform(sizeof(letters) - 1)]; /* unbiased: 20 × log2(62) = 119 bits */
    ret[PASSWORD_LENGTH] = '\0';
}

static int hash_with(const char *password, unsigned long long passes, size_t bytes, char ret[static PASSWORD_HASH_SIZE]) {
    char hash[crypto_pwhash_STRBYTES];

    if (crypto_pwhash_str(hash, password, strlen(password), passes, bytes) != 0)
        return -ENOMEM;
    memcpy(ret, hash, sizeof(hash));
    return 0;
}

int password_hash(const char *password, char ret[static PASSWORD_HASH_SIZE]) {
    return hash_with(password, OPSLIMIT, MEMLIMIT, ret);
}

int password_hash_at(const char *password, PasswordCost cost, char ret[static PASSWORD_HASH_SIZE]) {
    return hash_with(password, cost.passes, (size_t) cost.kib << 10, ret);
}

/* "m=4096" and the like: 1 to 10 digits. */
static bool read_parameter(const char **at, const char *name, uint32_t *ret) {
    uint64_t value = 0;

    if (!has_prefix(*at, name))
        return false;
    const char *p = *at + strlen(name);
    size_t digits = strspn(p, "0123456789");
    if (digits == 0 || digits > 10)
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (uint64_t) (p[i] - '0');
    if (value > UINT32_MAX)
        return false;
    *ret = (uint32_t) value;
    *at = p + digits;
    return true;
}

/* Base64 without padding, of at least `min` bytes. */
static bool read_base64(const char **at, size_t min) {
    size_t n = strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    *at += n;
    return n % 4 != 1 && n * 3 / 4 >= min;
}

int password_hash_check(const char *hash, PasswordCost *ret_cost) {
    const char *at = hash;
    PasswordCost cost;
    uint32_t version, lanes;

    if (strlen(hash) >= PASSWORD_HASH_SIZE || !has_prefix(at, "$argon2id$"))
        return -EINVAL;
    at += strlen("$argon2id");
    if (!read_parameter(&at, "$v=", &version) || !read_parameter(&at, "$m=", &cost.kib) || !read_parameter(&at, ",t=", &cost.passes) ||
        !read_parameter(&at, ",p=", &lanes) || *at++ != '$' || !read_base64(&at, SALT_MIN) || *at++ != '$' ||
        !read_base64(&at, DIGEST_MIN) || *at != '\0')
        return -EINVAL;
    if (version != 19 || lanes != 1 || cost.kib < 8 || cost.passes == 0)
        return -EINVAL;
    *ret_cost = cost;
    return (uint64_t) cost.kib * cost.passes > PASSWORD_WORK_MAX ? -E2BIG : 0;
}

static bool verify(const char *hash, const char *dummy, const char *password) {
    char text[crypto_pwhash_STRBYTES] = { 0 };

    /* A stored hash may be shorter than libsodium's buffer, and a damaged one longer. */
    snprintf(text, sizeof(text), "%s", hash ? hash : dummy);
    bool same = crypto_pwhash_str_verify(text, password, strlen(password)) == 0;
    return same && hash;
}

bool password_verify(const char *hash, const char *password) {
    return verify(hash, dummy_hash, password);
}

int password_hash_user(const char *password, char ret[static PASSWORD_HASH_SIZE]) {
    return password_hash_at(password, PASSWORD_COST_USER, ret);
}

bool password_verify_user(const char *hash, const char *password) {
    return verify(hash, user_dummy_hash, password);
}

void random_token(char ret[static RANDOM_TOKEN_SIZE]) {
    uint8_t random[32];

    randombytes_buf(random, sizeof(random));
    sodium_bin2base64(ret, RANDOM_TOKEN_SIZE, random, sizeof(random), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(random, sizeof(random));
}

void random_bytes(void *ret, size_t size) {
    randombytes_buf(ret, size);
}

void sha256(const void *data, size_t size, uint8_t ret[static 32]) {
    crypto_hash_sha256(ret, data, size);
}

bool equal_constant_time(const void *a, const void *b, size_t size) {
    return sodium_memcmp(a, b, size) == 0;
}

void uuid4_make(const uint8_t random[static 16], char ret[static 37]) {
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;

    for (size_t i = 0; i < 16; i++) {
        uint8_t b = random[i];
        if (i == 6)
            b = (uint8_t) (0x40 | (b & 0x0f)); /* RFC 9562, section 5.4: version, then variant */
        else if (i == 8)
            b = (uint8_t) (0x80 | (b & 0x3f));
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[n++] = '-';
        ret[n++] = digits[b >> 4];
        ret[n++] = digits[b & 0x0f];
    }
    ret[n] = '\0';
}

void uuid4(char ret[static 37]) {
    uint8_t random[16];

    randombytes_buf(random, sizeof(random));
    uuid4_make(random, ret);
}
