/* The text of --users-file: NAME:HASH[:ro|rw[:BYTES]] a line, '#' begins a comment line. Pure: bytes in, accounts out.
 *
 * HASH is Argon2id as --hash-password prints it, no dearer than PASSWORD_WORK_MAX; ro is the default; BYTES is the quota of what may lie in the
 * folder, 0 or nothing for no limit. */
#pragma once

#include "basic/cleanup.h"
#include "crypto/password.h"
#include "ftpd/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USERS_MAX 1024
#define USERS_FILE_MAX (512UL << 10) /* bytes */

typedef struct User {
    char name[WIRE_USER_SIZE];
    char hash[PASSWORD_HASH_SIZE];
    bool writes;
    uint64_t quota; /* bytes, 0: no limit */
} User;

/* Accounts in a table that the caller owns. */
typedef struct UserTable {
    User *users; /* USERS_MAX */
    size_t n;
} UserTable;

typedef struct UsersFault {
    size_t line; /* from 1 */
    char what[160]; /* a sentence; holds no hash */
} UsersFault;

/* Can somebody be called so? Printable ASCII without ':', not beginning with '#', shorter than WIRE_USER_SIZE. */
bool user_name_is_valid(const char *name, size_t size);
/* The account or NULL; takes as long for every name. */
const User *users_find(const UserTable *t, const char *name);
/* Adds to the table. -EINVAL: *ret_fault says where and why; the table holds what came before. */
int users_file_parse(const char *text, size_t size, UserTable *t, UsersFault *ret_fault) _must_use_;
