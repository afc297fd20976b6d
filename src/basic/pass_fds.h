/* File descriptors that go to another process over a Unix socket. unix(7), SCM_RIGHTS. */
#pragma once

#include "basic/cleanup.h"

#include <stddef.h>

#define PASS_FDS_MAX 3

/* One message of `size` bytes (at least 1) with copies of n (0 to PASS_FDS_MAX) fds. flags: send(2)'s; never a SIGPIPE. 0 or a negative errno. */
int pass_fds(int socket, const void *data, size_t size, const int *fds, size_t n, int flags) _must_use_;
