/* tempoftp-ftpd --hash-password. */
#pragma once

#include "basic/cleanup.h"

/* Asks on the terminal without echo, twice, or reads one line when standard input is none; prints an Argon2id hash at PASSWORD_COST_PERSON on standard
 * output. Logs what went wrong; -EINVAL: no password that a client could send; -ECANCELED: Ctrl-C. */
int hash_password_run(void) _must_use_;
