/* The worker's command line, as the broker writes it. docs/INTERNALS.md; tempoftp-transfer(8). */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>

#define ADDRESSES_MAX 16

/* Borrows argv's strings. */
typedef struct Options {
    const char *id;
    const char *user;
    const char *host;    /* as the person wrote it: host keys and the operator's ssh_config go by it */
    const char *path;    /* rsync's source path: begins with '/', and ends with one when only the content is wanted */
    const char *data;    /* the data path */
    const char *staging; /* relative to it */
    const char *addresses[ADDRESSES_MAX + 1];
    bool best_effort_jail;
    bool say_version, say_help;
} Options;

/* -EINVAL: *ret_error (static) says what is wrong. */
int options_parse(int argc, char **argv, Options *ret, const char **ret_error) _must_use_;
