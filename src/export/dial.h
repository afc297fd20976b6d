/* A TCP connection to a destination, for protocols whose library does not connect itself. */
#pragma once

#include "export/remote.h"

/* To the first of the order's addresses that answers; a connected socket that blocks. EXPORT_ADDRESS, EXPORT_CONNECT as failures. */
int dial(const Line *line, const bool *cleaning, int *ret_fd, ExportFailure *ret_failure) _must_use_;
