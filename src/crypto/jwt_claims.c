/* The payload of a token: JSON into claims, every one of them there, of its type and within its size.
 *
 * Signatures, base64 and the clock are not known here. */
#include "crypto/jwt_claims.h"

#include "basic/strings.h"

#include <jansson.h>

bool jwt_claims_are_sound(const JwtClaims *c) {
    return c->issuer[0] && c->subject[0] && utf8_is_valid(c->issuer, strlen(c->issuer)) && utf8_is_valid(c->subject, strlen(c->subject)) &&
           c->issued >= 0 && c->expires > c->issued && c->expires - c->issued <= JWT_LIFETIME_MAX && c->generation <= INT64_MAX;
}

static bool take_text(const json_t *root, const char *key, char *ret, size_t size) {
    const json_t *value = json_object_get(root, key);
    const char *text = json_string_value(value);

    if (!text || json_string_length(value) >= size)
        return false;
    memcpy(ret, text, json_string_length(value) + 1);
    return true;
}

static bool take_integer(const json_t *root, const char *key, int64_t *ret) {
    const json_t *value = json_object_get(root, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *ret = json_integer_value(value);
    return true;
}

bool jwt_claims_read(const char *text, size_t size, JwtClaims *ret) {
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    JwtClaims c = { 0 };
    int64_t generation = 0;

    bool ok = json_is_object(root) && take_text(root, "iss", c.issuer, sizeof(c.issuer)) && take_text(root, "sub", c.subject, sizeof(c.subject)) &&
              take_integer(root, "iat", &c.issued) && take_integer(root, "exp", &c.expires) && take_integer(root, "gen", &generation);
    json_decref(root);
    c.generation = (uint64_t) generation;
    if (!ok || !jwt_claims_are_sound(&c))
        return false;
    *ret = c;
    return true;
}
