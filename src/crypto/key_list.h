/* Settings that hold keys, "new,old": how they are taken apart. What a key is, is the caller's business. */
#pragma once

#include "basic/cleanup.h"

#include <stddef.h>

/* One key, without the space around it, in place: nothing of a secret is copied. Negative errno: the list is refused, *ret_text (static) says why. */
typedef int (*KeyListAdd)(const char *text, size_t size, void *userdata, const char **ret_text);
/* In order; an empty text is one empty key. */
int key_list_parse(const char *text, KeyListAdd add, void *userdata, const char **ret_text) _must_use_;
