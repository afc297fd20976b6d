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

/* What one check of a hash takes: memory, passes over it. Time goes with their product, KiB × passes: about 0.5 µs each (measured, one core of 2026). */
typedef struct PasswordCost {
    uint32_t kib, passes;
} PasswordCost;
#define PASSWORD_COST_PERSON ((PasswordCost) { 512, 1 }) /* for passwords that people think up: 0.26 ms, less than the rest of an FTP login */
#define PASSWORD_WORK_MAX 4096 /* KiB × passes, about 2 ms: what a loop that others wait for may check without a thread */

/* As password_hash() at that cost. */
int password_hash_at(const char *password, PasswordCost cost, char ret[static PASSWORD_HASH_SIZE]) _must_use_;
/* Reads an Argon2id string of any origin ("$argon2id$v=19$m=…,t=…,p=1$salt$hash", RFC 9106 with PHC's encoding). -EINVAL: it is none that
 * password_verify() could check; -E2BIG: it would take more than PASSWORD_WORK_MAX (then *ret_cost is set too). */
int password_hash_check(const char *hash, PasswordCost *ret_cost) _must_use_;
/* Constant time for one hash. hash NULL: checks against a fixed dummy of the same cost and returns false (unknown accounts take as long). */
bool password_verify(const char *hash, const char *password);

/* For passwords of the API's users: Argon2id at libsodium's interactive cost, some 60 ms and 64 MiB, so never on a loop. */
#define PASSWORD_COST_USER ((PasswordCost) { 65536, 2 })
int password_hash_user(const char *password, char ret[static PASSWORD_HASH_SIZE]) _must_use_;
/* As password_verify(), with a dummy of that cost: hash NULL is the same work. */
bool password_verify_user(const char *hash, const char *password);

#define RANDOM_TOKEN_SIZE 44 /* 32 bytes in base64url without padding, and NUL */
void random_token(char ret[static RANDOM_TOKEN_SIZE]);

void random_bytes(void *ret, size_t size);
void sha256(const void *data, size_t size, uint8_t ret[static 32]);
bool equal_constant_time(const void *a, const void *b, size_t size);
/* Random UUIDv4 text (RFC 9562), 36 characters and NUL. */
void uuid4(char ret[static 37]);
/* The same from random bytes that the caller has at hand. */
void uuid4_make(const uint8_t random[static 16], char ret[static 37]);
