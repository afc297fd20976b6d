/* Fernet tokens: version, time, IV, AES-128-CBC, HMAC-SHA256, all in base64url with padding.
 *
 * A token is authenticated, in constant time and under every key, before a byte of it is decrypted. What a plaintext
 * means, and what to do with a token of an old key, is not known here. */
#include "crypto/fernet.h"

#include "basic/strings.h"
#include "crypto/key_list.h"

#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>

#define VERSION 0x80
#define KEY_SIZE 32 /* 16 to sign, 16 to encrypt */
#define BLOCK 16
#define IV_AT 9 /* behind version and time */
#define CIPHER_AT (IV_AT + BLOCK)
#define MAC_SIZE crypto_auth_hmacsha256_BYTES
#define TOKEN_MIN (CIPHER_AT + BLOCK + MAC_SIZE)
#define TOKEN_MAX (CIPHER_AT + FERNET_PLAIN_MAX + BLOCK + MAC_SIZE)
#define CLOCK_SKEW 60 /* seconds, as the specification's own implementations */

struct FernetKeys {
    size_t n;
    uint8_t key[FERNET_KEYS_MAX][KEY_SIZE];
};

static int add_key(const char *text, size_t size, void *userdata, const char **ret_text) {
    FernetKeys *k = userdata;
    uint8_t key[KEY_SIZE];
    size_t length;

    if (k->n >= FERNET_KEYS_MAX) {
        *ret_text = "too many keys, at most 8 are allowed";
        return -E2BIG;
    }
    if (size != FERNET_KEY_TEXT_SIZE - 1) {
        *ret_text = "a Fernet key is 44 characters of base64url (32 bytes)";
        return -EINVAL;
    }
    if (sodium_base642bin(key, sizeof(key), text, size, NULL, &length, NULL, sodium_base64_VARIANT_URLSAFE) != 0 ||
        length != KEY_SIZE) {
        sodium_memzero(key, sizeof(key));
        *ret_text = "a Fernet key is base64url: letters, digits, '-' and '_', and one '=' at the end";
        return -EINVAL;
    }
    memcpy(k->key[k->n++], key, sizeof(key));
    sodium_memzero(key, sizeof(key));
    return 0;
}

int fernet_keys_parse(const char *text, FernetKeys **ret, const char **ret_text) {
    _cleanup_(fernet_keys_freep) FernetKeys *k = calloc(1, sizeof(FernetKeys));

    if (!k)
        return -ENOMEM;
    int r = key_list_parse(text, add_key, k, ret_text);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(k);
    return 0;
}

FernetKeys *fernet_keys_free(FernetKeys *k) {
    if (k)
        sodium_memzero(k, sizeof(*k));
    free(k);
    return NULL;
}

void fernet_key_generate(char ret[static FERNET_KEY_TEXT_SIZE]) {
    uint8_t key[KEY_SIZE];

    randombytes_buf(key, sizeof(key));
    sodium_bin2base64(ret, FERNET_KEY_TEXT_SIZE, key, sizeof(key), sodium_base64_VARIANT_URLSAFE);
    sodium_memzero(key, sizeof(key));
}

static void sign(const uint8_t key[static KEY_SIZE], const uint8_t *data, size_t size, uint8_t ret[static MAC_SIZE]) {
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, KEY_SIZE / 2);
    crypto_auth_hmacsha256_update(&state, data, size);
    crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof(state));
}

/* AES-128-CBC with PKCS #7 padding; `to` has room for size + BLOCK. -EBADMSG: OpenSSL refused (on decryption: the padding). */
static int cipher(const uint8_t key[static KEY_SIZE], const uint8_t *iv, int encrypt, const uint8_t *from, size_t size,
                  uint8_t *to, size_t *ret_size) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int first = 0, last = 0;

    if (!ctx)
        return -ENOMEM;
    bool ok = EVP_CipherInit_ex2(ctx, EVP_aes_128_cbc(), key + KEY_SIZE / 2, iv, encrypt, NULL) == 1 &&
              EVP_CipherUpdate(ctx, to, &first, from, (int) size) == 1 &&
              EVP_CipherFinal_ex(ctx, to + first, &last) == 1;
    EVP_CIPHER_CTX_free(ctx); /* wipes its copy of the key */
    if (!ok)
        return -EBADMSG;
    *ret_size = (size_t) first + (size_t) last;
    return 0;
}

/* ---- making ---- */

int fernet_encrypt_with_iv(const FernetKeys *k, const void *plain, size_t size, int64_t now, const uint8_t iv[static 16],
                           char **ret_token) {
    size_t cipher_size;

    if (size > FERNET_PLAIN_MAX)
        return -E2BIG;
    size_t room = CIPHER_AT + size + BLOCK + MAC_SIZE;
    _cleanup_free_ uint8_t *data = malloc(room);
    if (!data)
        return -ENOMEM;

    data[0] = VERSION;
    memcpy(data + 1, &(uint64_t) { htobe64((uint64_t) now) }, 8);
    memcpy(data + IV_AT, iv, BLOCK);
    int r = cipher(k->key[0], iv, 1, plain, size, data + CIPHER_AT, &cipher_size);
    if (r < 0)
        return r;
    size_t signed_size = CIPHER_AT + cipher_size;
    sign(k->key[0], data, signed_size, data + signed_size);

    size_t text_size = sodium_base64_encoded_len(signed_size + MAC_SIZE, sodium_base64_VARIANT_URLSAFE);
    char *token = malloc(text_size);
    if (!token)
        return -ENOMEM;
    *ret_token = sodium_bin2base64(token, text_size, data, signed_size + MAC_SIZE, sodium_base64_VARIANT_URLSAFE);
    return 0;
}

int fernet_encrypt(const FernetKeys *k, const void *plain, size_t size, int64_t now, char **ret_token) {
    uint8_t iv[BLOCK];

    randombytes_buf(iv, sizeof(iv));
    return fernet_encrypt_with_iv(k, plain, size, now, iv, ret_token);
}

/* ---- opening ---- */

/* The token's bytes, when their number is one a token can have. */
static int decode(const char *token, uint8_t **ret, size_t *ret_size) {
    size_t text_size = strlen(token), size;

    if (text_size > sodium_base64_ENCODED_LEN(TOKEN_MAX, sodium_base64_VARIANT_URLSAFE))
        return -EBADMSG;
    _cleanup_free_ uint8_t *data = malloc(text_size + 1);
    if (!data)
        return -ENOMEM;
    if (sodium_base642bin(data, text_size, token, text_size, NULL, &size, NULL, sodium_base64_VARIANT_URLSAFE) != 0 ||
        size < TOKEN_MIN || (size - CIPHER_AT - MAC_SIZE) % BLOCK != 0 || data[0] != VERSION)
        return -EBADMSG;
    *ret = TAKE_PTR(data);
    *ret_size = size;
    return 0;
}

/* The first key whose signature it is; -EBADMSG. */
static int find_key(const FernetKeys *k, const uint8_t *data, size_t size, size_t *ret_index) {
    for (size_t i = 0; i < k->n; i++) {
        uint8_t mac[MAC_SIZE];
        sign(k->key[i], data, size - MAC_SIZE, mac);
        if (sodium_memcmp(mac, data + size - MAC_SIZE, MAC_SIZE) == 0) {
            *ret_index = i;
            return 0;
        }
    }
    return -EBADMSG;
}

static bool time_is_right(const uint8_t *data, int64_t now, uint32_t ttl) {
    uint64_t stamp;

    if (ttl == 0)
        return true;
    memcpy(&stamp, data + 1, sizeof(stamp));
    stamp = be64toh(stamp);
    if (now < 0 || stamp > (uint64_t) now + CLOCK_SKEW)
        return false;
    return (uint64_t) now <= stamp || (uint64_t) now - stamp <= ttl;
}

int fernet_decrypt(const FernetKeys *k, const char *token, int64_t now, uint32_t ttl, char **ret_plain, size_t *ret_size,
                   size_t *ret_key_index) {
    _cleanup_free_ uint8_t *data = NULL;
    size_t size, index, plain_size;

    int r = decode(token, &data, &size);
    if (r < 0)
        return r;
    r = find_key(k, data, size, &index);
    if (r < 0)
        return r;
    if (!time_is_right(data, now, ttl))
        return -EBADMSG;

    size_t cipher_size = size - CIPHER_AT - MAC_SIZE, room = cipher_size + BLOCK;
    uint8_t *plain = malloc(room);
    if (!plain)
        return -ENOMEM;
    r = cipher(k->key[index], data + IV_AT, 0, data + CIPHER_AT, cipher_size, plain, &plain_size);
    if (r < 0) {
        sodium_memzero(plain, room);
        free(plain);
        return r;
    }
    plain[plain_size] = '\0'; /* padding is at least one byte, so there is room */
    *ret_plain = (char *) plain;
    if (ret_size)
        *ret_size = plain_size;
    if (ret_key_index)
        *ret_key_index = index;
    return 0;
}
