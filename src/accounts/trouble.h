/* How a back end says what is wrong: one errno for each kind of trouble. Private to accounts/. */
#pragma once

#include "accounts/backend.h"

/* Fills *ret and returns its negative errno (backend.h, "Errors"). */
int trouble_set(AccountTrouble *ret, AccountTroubleKind kind, const char *format, ...) _printf_(3, 4);
