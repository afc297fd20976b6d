/* Passwords we make and check. libsodium.
 *
 * Generated ones carry at least 118 bits over [A-Za-z0-9] (20 characters, unbiased), so the cheapest Argon2id is as strong as the dearest. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PASSWORD_LENGTH 20
#define PASSWORD_HASH_SIZE 128 /* crypto_pwhash_STRBYTES */

/* Once per process, before anything else in this room. -EIO. */
int crypto_init(void) _must_use_;
void password_generate(char ret[static PASSWORD_LENGTH + 1]);
/* Argon2id with libsodium's lowest cost; MCF string. -ENOMEM. */
int password_hash(const char *password, char ret[static PASSWORD_HASH_SIZE]) _must_use_;
/* Constant time for one hash. hash NULL: checks against a fixed dummy of the same cost and returns false (unknown accounts take as long). */
bool password_verify(const char *hash, const char *password);

void random_bytes(void *ret, size_t size);
void sha256(const void *data, size_t size, uint8_t ret[static 32]);
bool equal_constant_time(const void *a, const void *b, size_t size);
/* Random UUIDv4 text (RFC 9562), 36 characters and NUL. */
void uuid4(char ret[static 37]);
/* The same from random bytes that the caller has at hand. */
void uuid4_make(const uint8_t random[static 16], char ret[static 37]);
