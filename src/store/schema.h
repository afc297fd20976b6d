/* Tables, and the way to them from every older version. */
#pragma once

#include "store/connection.h"

#include <stddef.h>

/* migrations[n] takes a database from user_version n to n + 1. Texts are never altered once
 * released: a change is a new row. */
extern const char *const schema_migrations[];
extern const size_t schema_version;

/* Applies what is missing, each step in a transaction of its own. -ENOTSUP: the file is newer
 * than `version`; -EBADMSG: another program's database. */
int schema_migrate(Connection *c, const char *const *migrations, size_t version) _must_use_;
