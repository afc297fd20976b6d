/* A secret that a person types, or a script pipes in: never from the command line, which every user of the machine can read. */
#pragma once

#include "basic/cleanup.h"
#include "cli/exit_code.h"

#define SECRET_MAX 4096

/* One line: from the terminal, without echo, after `prompt` on stderr; or from standard input when that is no terminal. Heap, to be wiped (wipe_free).
 * -ECANCELED: Ctrl-C or Ctrl-D; -ENODATA: nothing there; -E2BIG; -ENOMEM. */
int secret_read(const char *prompt, char **ret) _must_use_;
/* The same, and what went wrong is told. */
ExitCode secret_ask(const char *prompt, char **ret);
