/* One row a format: its name, how long its hashes are, who makes them, and what is wrong with it. Which one is wanted is not decided here. */
#include "crypto/password_format.h"

#include "basic/strings.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define BCRYPT_PREFIX "$2b$" /* 60 characters, so it fits the smallest tables that are out there; yescrypt's 73 don't */
#define BCRYPT_COST 4        /* its lowest */
#define BCRYPT_SALT 16

static int hash_bcrypt(const char *password, char ret[static PASSWORD_HASH_SIZE]) {
    char salt[BCRYPT_SALT], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB */
    int r = -EIO;

    if (!data)
        return -ENOMEM;
    random_bytes(salt, sizeof(salt));
    if (crypt_gensalt_rn(BCRYPT_PREFIX, BCRYPT_COST, salt, sizeof(salt), setting, sizeof(setting))) {
        const char *hash = crypt_rn(password, setting, data, sizeof(*data));
        if (hash && strlen(hash) < PASSWORD_HASH_SIZE) {
            memcpy(ret, hash, strlen(hash) + 1);
            r = 0;
        }
    }
    wipe(data, sizeof(*data));
    free(data);
    return r;
}

static int hash_md5(const char *password, char ret[static PASSWORD_HASH_SIZE]) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size;

    if (EVP_Digest(password, strlen(password), digest, &size, EVP_md5(), NULL) != 1)
        return -EIO; /* a library in FIPS mode has none */
    hex_encode(digest, size, ret);
    return 0;
}

static int hash_nothing(const char *password, char ret[static PASSWORD_HASH_SIZE]) {
    memcpy(ret, password, strlen(password) + 1);
    return 0;
}

static const struct {
    const char *name, *weakness;
    size_t length;
    bool any; /* Pure-FTPd's "any" takes it */
    int (*hash)(const char *password, char ret[static PASSWORD_HASH_SIZE]);
} formats[] = {
    [PASSWORD_ARGON2] = { "argon2", NULL, 93, true, password_hash },
    [PASSWORD_CRYPT] = { "crypt", NULL, 60, true, hash_bcrypt },
    [PASSWORD_MD5] = { "md5", "MD5 without a salt is broken, and Pure-FTPd of today, 1.0.50, takes the stored text itself for the password", 32, false, hash_md5 },
    [PASSWORD_CLEARTEXT] = { "cleartext", "whoever reads the table, a dump or a backup of it can log in as everybody", PASSWORD_LENGTH, false, hash_nothing },
};

const char *password_format_name(PasswordFormat f) {
    return formats[f].name;
}

const char *password_format_weakness(PasswordFormat f) {
    return formats[f].weakness;
}

size_t password_format_length(PasswordFormat f) {
    return formats[f].length;
}

int password_format_find(const char *hash, PasswordFormat *ret) {
    for (PasswordFormat f = 0; f < ELEMENTS(formats); f++)
        if (strlen(hash) == formats[f].length) {
            *ret = f;
            return 0;
        }
    return -EINVAL;
}

bool password_format_is_taken(PasswordFormat f, const char *mysqlcrypt) {
    return strcasecmp(mysqlcrypt, formats[f].name) == 0 || (formats[f].any && strcasecmp(mysqlcrypt, "any") == 0);
}

int password_format_hash(PasswordFormat f, const char *password, char ret[static PASSWORD_HASH_SIZE]) {
    return formats[f].hash(password, ret);
}
