/* Landlock: what a process of the worker may touch from now on. Layers only take away. Source: landlock(7). */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>

typedef struct Jail {
    const char *credentials; /* readable; NULL: not */
    const char *private_tmp; /* writable; NULL: not */
    const char *staging;     /* writable; NULL: not */
} Jail;

/* For the calling process and all its children. -EOPNOTSUPP: this kernel has no landlock that is good enough (ABI 2: moving files between folders). */
int jail_enter(const Jail *j) _must_use_;
