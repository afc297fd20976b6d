/* In which order files go to a partner who watches for them. Pure: names in, order out.
 *
 * By name, folder by folder; the volumes of one RAR set stand together, in the order in which they are unpacked: name.rar, name.r00 … name.r99, name.s00 …
 * (the old way), name.part1.rar, name.part2.rar … name.part10.rar (the new one, with as many zeros before the number as one likes). Source: RAR's
 * technote, "Volumes"; the seed on uploads. */
#pragma once

#include <stdbool.h>

/* qsort(3)'s rule over paths of parts with one '/' between them. 0 only for the same bytes. */
int order_compare(const char *a, const char *b);
/* Do both belong to one RAR set? Its members stand side by side once sorted, the first volume first. */
bool order_same_set(const char *a, const char *b);
