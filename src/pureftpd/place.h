/* Where in the data path something is that /proc tells of: whose home, which request. Pure. docs/INTERNALS.md "Files". */
#pragma once

#include "model/request.h"

#include <stdbool.h>

typedef struct Place {
    char account[ACCOUNT_NAME_MAX + 1]; /* "" outside of homes: in .blocked, .purge… */
    char id[ID_MAX + 1];                /* "" in no request's folder */
    const char *below;                  /* the path from the request's folder on ("/a/b.txt"), or "", or from the home on where id is "" */
} Place;

/* link: a path as the kernel gives it, with " (deleted)" behind what has been removed. data_path: as the kernel would give it (realpath(3)). Returns whether
 * it is in the data path; ret->below points into link. */
bool place_parse(const char *data_path, const char *link, Place *ret);
