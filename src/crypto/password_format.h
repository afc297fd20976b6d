/* The formats in which an FTP server outside may want the hashes of our passwords (FTP_PASSWORD_FORMAT). libsodium, libxcrypt (crypt(3), crypt(5)), OpenSSL.
 *
 * Passwords of ours carry at least 118 bits, so the cheapest setting of each is as strong as the dearest; where nothing is salted (md5) or hashed
 * (cleartext) whoever reads the table is a step closer, and has to be allowed by name. */
#pragma once

#include "crypto/password.h"
#include "model/settings.h"

const char *password_format_name(PasswordFormat f);
/* NULL: it is strong. Else a sentence that says why it is not. */
const char *password_format_weakness(PasswordFormat f);
/* Characters of every hash that password_format_hash() makes. */
size_t password_format_length(PasswordFormat f);
/* Of what format is a hash of ours? Their lengths are all different. -EINVAL: of none. */
int password_format_find(const char *hash, PasswordFormat *ret) _must_use_;
/* Does Pure-FTPd with that value of MYSQLCrypt take such hashes? "any" is argon2, scrypt and crypt (tried with
 * 1.0.50, whose README.MySQL says "all"). */
bool password_format_is_taken(PasswordFormat f, const char *mysqlcrypt);
/* -ENOMEM; -EIO: the library doesn't know the format. */
int password_format_hash(PasswordFormat f, const char *password, char ret[static PASSWORD_HASH_SIZE]) _must_use_;
