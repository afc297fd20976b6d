/* The password behind the token that the service gives out: opened here, when a key is at hand.
 *
 * Keys, strongest first: TEMPOFTP_ENCRYPTION_KEY in the environment, --env-file, /etc/tempoftp/encryption.key when this user may read it. Never argv. */
#pragma once

#include "cli/args.h"

#define KEY_FILE "/etc/tempoftp/encryption.key"
#define KEY_FILE_MAX 4096

/* Heap; wipe_free() it. NULL: no key, or none that opens it; why was told (-q silences the hints, not a malformed key). */
char *password_of_token(const Args *args, const char *token) _must_use_;
