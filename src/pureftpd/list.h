/* The sessions of Pure-FTPd in the data path, as text for tempoftpd (model/session_line.h). */
#pragma once

#include "basic/buffer.h"
#include "pureftpd/process.h"

#define SESSIONS_MAX 4096 /* listed; more are left out */

/* data_path: as realpath(3) gives it. */
int sessions_list(const Program *program, const char *data_path, Buffer *ret) _must_use_;
