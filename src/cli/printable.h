/* Which characters may reach a terminal as they are: str.isprintable() of Python 3.11 (Unicode 14.0): everything but other (control, format, surrogate,
 * private, unassigned) and separators, the space excepted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool point_is_printable(uint32_t point);
