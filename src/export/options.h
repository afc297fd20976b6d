/* The command line of tempoftp-export, as the broker writes it. docs/INTERNALS.md "Exports"; tempoftp-export(8). */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum OptionsVerb { OPTIONS_UPLOAD, OPTIONS_TEST, OPTIONS_HELP, OPTIONS_VERSION } OptionsVerb;

/* Borrows argv's strings. */
typedef struct Options {
    OptionsVerb verb;
    bool internal;
    const char *id;     /* the rest: OPTIONS_UPLOAD only */
    const char *folder; /* absolute */
    uint64_t life, number, connections, retries, retry_seconds;
    uint64_t ftp_seconds, sftp_seconds, answer_seconds; /* to let us in, by type; to answer afterwards */
} Options;

/* -EINVAL: *ret_error (static) says what is wrong. */
int options_parse(int argc, char **argv, Options *ret, const char **ret_error) _must_use_;
