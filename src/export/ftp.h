/* libcurl as a whole: to be called before the first thread. */
#pragma once

#include "basic/cleanup.h"

int ftp_global_begin(void) _must_use_;
