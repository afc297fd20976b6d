/* The seccomp filters: one list of system calls for each kind of process. Source: seccomp_init(3), seccomp(2). */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/jail.h"

#include <stdbool.h>

typedef struct JailFilters JailFilters;
/* Compiled once, in the listener; libseccomp is not used after that. tls: with the kinds of TLS, and what OpenSSL needs in the others. */
int jail_filters_new(bool tls, JailFilters **ret) _must_use_;
JailFilters *jail_filters_free(JailFilters *f);
DEFINE_CLEANUP(JailFilters, jail_filters_free)
/* Lives as long as f. */
const Jail *jail_filters_get(const JailFilters *f, JailKind kind);
