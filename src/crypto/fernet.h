/* Fernet tokens, the specification of 2013 (version 0x80): https://github.com/fernet/spec/blob/master/Spec.md
 * AES-128-CBC and HMAC-SHA256, base64url. Tokens are checked in constant time before anything is decrypted.
 *
 * Ownership: results are heap strings of the caller; plaintexts and keys are to be wiped (wipe_free). */
#pragma once

#include "basic/cleanup.h"

#include <stddef.h>
#include <stdint.h>

#define FERNET_KEY_TEXT_SIZE 45 /* 44 characters of base64url and NUL */
#define FERNET_KEYS_MAX 8
#define FERNET_PLAIN_MAX 65536 /* bytes; longer ones are -E2BIG */

typedef struct FernetKeys FernetKeys; /* one or more; the first encrypts, any decrypts */

/* "new,old". -EINVAL: not 32 bytes of base64url each (ret_text, static, says which rule); -E2BIG; -ENOMEM. */
int fernet_keys_parse(const char *text, FernetKeys **ret, const char **ret_text) _must_use_;
FernetKeys *fernet_keys_free(FernetKeys *k); /* wipes */
DEFINE_CLEANUP(FernetKeys, fernet_keys_free)

void fernet_key_generate(char ret[static FERNET_KEY_TEXT_SIZE]);

/* now: UTC seconds, stands in the token in clear. */
int fernet_encrypt(const FernetKeys *k, const void *plain, size_t size, int64_t now, char **ret_token) _must_use_;
/* ttl seconds, 0 = any age. -EBADMSG: forged, damaged, wrong key, too old or from the future (60 s of clock skew, with a ttl). NUL-terminated result.
 * *ret_key_index (may be NULL): which key opened it; > 0 means "re-encrypt". */
int fernet_decrypt(const FernetKeys *k, const char *token, int64_t now, uint32_t ttl, char **ret_plain, size_t *ret_size, size_t *ret_key_index) _must_use_;
/* For test vectors only: fixed iv. */
int fernet_encrypt_with_iv(const FernetKeys *k, const void *plain, size_t size, int64_t now, const uint8_t iv[static 16], char **ret_token) _must_use_;
