/* JSON values as Python's repr() shows them: what the original client, a Python program, printed and its users' scripts read.
 *
 * {"a": null, "b": [true, 1.5, "it's"]} → {'a': None, 'b': [True, 1.5, "it's"]}. Keys in the order in which they came.
 * Source: CPython 3.11, Objects/unicodeobject.c (unicode_repr), float_repr_style "short". */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* Write errors are the stream's (ferror). */
void python_repr(const json_t *value, FILE *to);
