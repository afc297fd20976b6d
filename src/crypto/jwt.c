/* HS256 tokens: made from claims, and verified before they are read.
 *
 * Who the subject is, what it may do and whether its generation still counts is not known here. */
#include "crypto/jwt.h"

#include "basic/json_writer.h"
#include "basic/strings.h"
#include "crypto/jwt_claims.h"
#include "crypto/key_list.h"

#include <sodium.h>

#define HEADER "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" /* {"alg":"HS256","typ":"JWT"} */
#define HEADER_SIZE (sizeof(HEADER) - 1)
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define MAC_SIZE crypto_auth_hmacsha256_BYTES
#define SIGNATURE_LENGTH (JWT_SIGNATURE_SIZE - 1)

struct JwtKeys {
    size_t n;
    struct {
        size_t size;
        uint8_t bytes[JWT_KEY_MAX];
    } key[JWT_KEYS_MAX];
};

/* ---- keys ---- */

static int add_key(const char *text, size_t size, void *userdata, const char **ret_text) {
    JwtKeys *k = userdata;

    if (k->n >= JWT_KEYS_MAX) {
        *ret_text = "too many keys, at most 8 are allowed";
        return -E2BIG;
    }
    if (size < JWT_KEY_MIN || size > JWT_KEY_MAX) {
        *ret_text = size < JWT_KEY_MIN ? "a key has at least 32 characters" : "a key has at most 256 characters";
        return -EINVAL;
    }
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~') {
            *ret_text = "a key is of printable ASCII characters, without spaces";
            return -EINVAL;
        }
    memcpy(k->key[k->n].bytes, text, size);
    k->key[k->n++].size = size;
    return 0;
}

int jwt_keys_parse(const char *text, JwtKeys **ret, const char **ret_text) {
    _cleanup_(jwt_keys_freep) JwtKeys *k = calloc(1, sizeof(JwtKeys));

    if (!k)
        return -ENOMEM;
    int r = key_list_parse(text, add_key, k, ret_text);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(k);
    return 0;
}

JwtKeys *jwt_keys_free(JwtKeys *k) {
    if (k)
        sodium_memzero(k, sizeof(*k));
    free(k);
    return NULL;
}

static void mac_of(const void *key, size_t key_size, const char *input, size_t size, uint8_t ret[static MAC_SIZE]) {
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, key_size);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *) input, size);
    crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof(state));
}

void jwt_sign(const void *key, size_t key_size, const char *input, size_t size, char ret[static JWT_SIGNATURE_SIZE]) {
    uint8_t mac[MAC_SIZE];

    mac_of(key, key_size, input, size, mac);
    sodium_bin2base64(ret, JWT_SIGNATURE_SIZE, mac, sizeof(mac), VARIANT);
}

/* ---- making ---- */

static void claims_write(const JwtClaims *c, Buffer *to) {
    JsonWriter w = JSON_WRITER(to);

    json_object_open(&w, NULL);
    json_string(&w, "iss", c->issuer);
    json_string(&w, "sub", c->subject);
    json_integer(&w, "iat", c->issued);
    json_integer(&w, "exp", c->expires);
    json_integer(&w, "gen", (int64_t) c->generation);
    json_object_close(&w);
}

int jwt_encode(const JwtKeys *k, const JwtClaims *claims, char **ret_token) {
    _cleanup_buffer_ Buffer json = { 0 };

    if (!jwt_claims_are_sound(claims))
        return -EINVAL;
    claims_write(claims, &json);
    if (json.error)
        return json.error;
    size_t room = HEADER_SIZE + 1 + sodium_base64_encoded_len(json.size, VARIANT) + JWT_SIGNATURE_SIZE;
    if (room > JWT_TOKEN_MAX)
        return -EINVAL;
    char *token = malloc(room);
    if (!token)
        return -ENOMEM;
    memcpy(token, HEADER ".", HEADER_SIZE + 1);
    sodium_bin2base64(token + HEADER_SIZE + 1, room - HEADER_SIZE - 1, (const unsigned char *) json.data, json.size, VARIANT);
    size_t signed_size = strlen(token);
    token[signed_size] = '.';
    jwt_sign(k->key[0].bytes, k->key[0].size, token, signed_size, token + signed_size + 1);
    *ret_token = token;
    return 0;
}

/* ---- verifying ---- */

static bool signature_is_right(const JwtKeys *k, const char *token, size_t signed_size) {
    uint8_t mac[MAC_SIZE], given[MAC_SIZE];
    size_t length;
    bool right = false;

    if (sodium_base642bin(given, sizeof(given), token + signed_size + 1, SIGNATURE_LENGTH, NULL, &length, NULL, VARIANT) != 0 || length != MAC_SIZE)
        return false;
    for (size_t i = 0; i < k->n; i++) { /* all of them: time tells not which one it was */
        mac_of(k->key[i].bytes, k->key[i].size, token, signed_size, mac);
        right |= sodium_memcmp(mac, given, MAC_SIZE) == 0;
    }
    sodium_memzero(mac, sizeof(mac));
    return right;
}

int jwt_verify(const JwtKeys *k, const char *token, size_t size, int64_t now, JwtClaims *ret) {
    char json[JWT_TOKEN_MAX];
    size_t json_size;
    JwtClaims claims;

    if (size > JWT_TOKEN_MAX || size <= HEADER_SIZE + 2 + SIGNATURE_LENGTH || memcmp(token, HEADER ".", HEADER_SIZE + 1) != 0)
        return -EBADMSG;
    size_t signed_size = size - SIGNATURE_LENGTH - 1;
    if (token[signed_size] != '.' || !signature_is_right(k, token, signed_size))
        return -EBADMSG;
    if (sodium_base642bin((unsigned char *) json, sizeof(json), token + HEADER_SIZE + 1, signed_size - HEADER_SIZE - 1, NULL, &json_size, NULL, VARIANT) != 0)
        return -EBADMSG;
    if (!jwt_claims_read(json, json_size, &claims) || claims.expires <= now || claims.issued > now + JWT_CLOCK_SKEW)
        return -EBADMSG;
    *ret = claims;
    return 0;
}
