/* What can be found wrong before a server was asked: the password format, and Pure-FTPd's configuration beside ours. Private to accounts/. */
#pragma once

#include "accounts/backend.h"

/* -EINVAL: it must not start; *ret_error (heap) says what to change. What only should be otherwise is said through `warn` (may be NULL). */
int mariadb_check_start(const Settings *s, SettingsWarn warn, void *userdata, char **ret_error) _must_use_;
