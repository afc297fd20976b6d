/* What `tempoftp` exits with: one table, shown by --help and checked against the man page. */
#pragma once

typedef enum ExitCode {
    EXIT_OK = 0,
    EXIT_REFUSED = 1,     /* the service said no: 400, 401, 403, 405, 409, 413, 415, 422, 429 */
    EXIT_USAGE = 2,       /* the command line */
    EXIT_NOT_FOUND = 3,   /* 404 */
    EXIT_UNREACHABLE = 4, /* no service at the socket or URL */
    EXIT_ENDED_BADLY = 5, /* a request that was followed ended in error, expirado, bloqueado or eliminado */
    EXIT_UNWELL = 6,      /* 500, 503, and a health that is not ok */
    EXIT_LOCAL = 7,       /* something here: a file, memory, the output */
    EXIT_CODE_MAX,
} ExitCode;

const char *exit_code_help(ExitCode code);
/* Of an HTTP answer. */
ExitCode exit_code_of_status(long status);
