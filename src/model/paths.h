/* Where a request's folders are below the data path. docs/INTERNALS.md "Files". All results are relative to the data path. */
#pragma once

#include "model/request.h"

#define REL_PATH_SIZE (ACCOUNT_NAME_MAX + ID_MAX + 64)

void path_staging(const char *id, uint64_t life, char ret[static REL_PATH_SIZE]); /* ".staging/<id>.<life>" */
void path_blocked(const char *id, uint64_t life, char ret[static REL_PATH_SIZE]); /* ".blocked/<id>.<life>" */
void path_purge(const char *id, uint64_t life, char ret[static REL_PATH_SIZE]);   /* ".purge/<id>.<life>" */
void path_home(const char *account, const char *id, char ret[static REL_PATH_SIZE]); /* "<ftpuser>/<id>" */
/* An account's drop folder. No id begins with '_', so no request can be in its place. */
#define DROP_FOLDER "_buzon"
void path_drop(const char *account, char ret[static REL_PATH_SIZE]); /* "<ftpuser>/_buzon" */
/* ".purge/_buzon.<id>.<life>": a folder that drop folders are moved into, each under a name of its own. */
void path_drop_purge(const char *id, uint64_t life, char ret[static REL_PATH_SIZE]);
/* "_buzon.<id>.<life>" → both; -EINVAL. */
int path_parse_drop(const char *name, char ret_id[static ID_MAX + 1], uint64_t *ret_life) _must_use_;
/* "<id>.<life>" → both; -EINVAL. */
int path_parse_life(const char *name, char ret_id[static ID_MAX + 1], uint64_t *ret_life) _must_use_;
