/* An FTP account's name. CONTRACT "Accounts".
 *
 * ftp_<local part: lower case, only [a-z0-9], at most 32, "x" if empty>_<base-32 of the address's SHA-256>: 4 characters, more on a collision.
 * The digest is a parameter: hashing is crypto/'s business. Base 32 is RFC 4648's alphabet in lower case. */
#pragma once

#include "model/request.h"

#define ACCOUNT_SUFFIX_MIN 4
#define ACCOUNT_SUFFIX_MAX 11 /* 4 + 32 + 1 + 11 = 48 bytes */

/* suffix_length within the bounds above, else -ERANGE. */
int account_name_make(const char *email, const uint8_t sha256[static 32], size_t suffix_length,
                      char ret[static ACCOUNT_NAME_MAX + 1]) _must_use_;
bool account_name_is_valid(const char *name); /* what we could have made: ftp_[a-z0-9]+_[a-z2-7]{4,11} */
