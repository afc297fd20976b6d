/* SHA-256 (FIPS 180-4) of data that comes in pieces. libsodium; nothing here allocates, fails or makes a system call. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

typedef struct Sha256 {
    _Alignas(8) unsigned char state[128];
} Sha256;

void sha256_begin(Sha256 *h);
void sha256_add(Sha256 *h, const void *data, size_t size);
void sha256_end(Sha256 *h, uint8_t ret[static SHA256_SIZE]);
