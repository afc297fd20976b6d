/* Which libraries stay in the memory of a process that only forks. */
#pragma once

#include "basic/cleanup.h"

/* Unmaps every shared library but libc, the loader and those whose file names begin with one of `kept` (ends with NULL). What is left is what children
 * are born with: a fork copies a third of the mappings, and a session that is taken over finds less code to use.
 * From here on nothing may be called in the libraries that are gone, by atexit() or fork() handlers either: _exit() and _Fork() call none. The
 * program must be linked with -z now. -E2BIG: more libraries than expected; nothing was unmapped. */
int mappings_drop_libraries(const char *const *kept) _must_use_;
