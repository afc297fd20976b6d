/* The command line of a program that systemd or D-Bus starts: --help and --version are all that it takes. */
#pragma once

#include "basic/cleanup.h"

/* Returns 0 to go on, 1 when all is said (standard output), -EINVAL for anything else. `purpose`: what it does, and who starts it. */
int service_arguments(int argc, char **argv, const char *name, const char *purpose) _must_use_;
