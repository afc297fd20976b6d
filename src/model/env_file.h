/* KEY=value files as systemd reads them for EnvironmentFile=, so that one file serves a unit and a program started by hand.
 *
 * Source: systemd.exec(5), EnvironmentFile=; systemd's src/basic/env-file.c. Comments begin with '#' or ';'. Values may be quoted
 * with '…' (nothing is special inside) or "…" (backslash before ", \, `, $ and newline); outside of quotes a backslash takes the
 * next character as it is, and at the end of a line it joins the next line. Trailing white space of an unquoted value is dropped. The last line of a key
 * counts. Lines that are none of this are counted and otherwise ignored, as systemd does.
 *
 * Ownership: env_file_free(), which wipes: such files hold keys. */
#pragma once

#include "basic/cleanup.h"

#include <stddef.h>

#define ENV_FILE_MAX 65536 /* bytes */

typedef struct EnvFile EnvFile;

/* -E2BIG past ENV_FILE_MAX, -EINVAL for a NUL byte, -ENOMEM. */
int env_file_parse(const char *text, size_t size, EnvFile **ret) _must_use_;
/* NULL when the file has no such key. Valid until env_file_free(). */
const char *env_file_get(const EnvFile *e, const char *key);
const char *env_file_key(const EnvFile *e, size_t i); /* from 0 on; NULL behind the last one */
size_t env_file_ignored(const EnvFile *e); /* lines that could not be read */
EnvFile *env_file_free(EnvFile *e);
DEFINE_CLEANUP(EnvFile, env_file_free)
