/* JSON Web Tokens as tempoftpd makes them (RFC 7519, RFC 7515 compact form), with one algorithm: HMAC-SHA256 ("HS256", RFC 7518 section 3.2).
 *
 * Strict, because only our own tokens have to pass: the header is one fixed text, so no other algorithm, key or critical extension can be asked for;
 * base64url is canonical and without padding; nothing of a token is parsed before its signature has been found right, in constant time.
 * Bytes in, values out: the clock is a parameter (UTC seconds).
 *
 * Ownership: jwt_encode()'s text is the caller's (wipe_free: who has it is logged in); keys are wiped by jwt_keys_free(). */
#pragma once

#include "basic/cleanup.h"

#include <stddef.h>
#include <stdint.h>

#define JWT_KEY_MIN 32       /* bytes of a key's text: RFC 7518 wants 256 bits */
#define JWT_KEY_MAX 256
#define JWT_KEYS_MAX 8
#define JWT_TOKEN_MAX 2048   /* characters; longer ones are none of ours */
#define JWT_SUBJECT_MAX 254  /* an e-mail address */
#define JWT_ISSUER_MAX 64
#define JWT_LIFETIME_MAX 86400 /* seconds between iat and exp */
#define JWT_CLOCK_SKEW 60    /* seconds that iat may lie ahead: a kill and a clock that was set back */
#define JWT_SIGNATURE_SIZE 44 /* 43 characters and NUL */

typedef struct JwtKeys JwtKeys; /* one or more; the first signs, any verifies */

/* "new,old": each a text of JWT_KEY_MIN to JWT_KEY_MAX printable ASCII characters, such as `tempoftp clave` prints; its bytes are the key.
 * -EINVAL, -E2BIG: *ret_text (static) says which rule; -ENOMEM. */
int jwt_keys_parse(const char *text, JwtKeys **ret, const char **ret_text) _must_use_;
JwtKeys *jwt_keys_free(JwtKeys *k);
DEFINE_CLEANUP(JwtKeys, jwt_keys_free)

typedef struct JwtClaims {
    char issuer[JWT_ISSUER_MAX + 1];   /* iss */
    char subject[JWT_SUBJECT_MAX + 1]; /* sub */
    int64_t issued, expires;           /* iat, exp */
    uint64_t generation;               /* gen, ours: tokens of an older generation of their user are void */
} JwtClaims;

/* -EINVAL: claims that jwt_verify() would not take back; -ENOMEM. */
int jwt_encode(const JwtKeys *k, const JwtClaims *claims, char **ret_token) _must_use_;
/* `token` needs no NUL. -EBADMSG: anything but a token of ours that is valid now (*ret is untouched); -ENOMEM. Whose generation it is, and whether the
 * issuer is this service, is for the caller to compare. */
int jwt_verify(const JwtKeys *k, const char *token, size_t size, int64_t now, JwtClaims *ret) _must_use_;

/* For test vectors only: the signature of any signing input under any key. */
void jwt_sign(const void *key, size_t key_size, const char *input, size_t size, char ret[static JWT_SIGNATURE_SIZE]);
