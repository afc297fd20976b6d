/* Where a request's folder is follows its state: docs/INTERNALS.md "Files". Renames only; contents belong to others.
 *
 * Thread-safe (plain system calls on the data path's fd): the move into the home runs on the store's writer, inside the transaction that makes it true. */
#pragma once

#include "model/request.h"

/* Opens the data path and makes .staging, .blocked, .purge with their modes. -EACCES, -ENOTDIR…; *ret_hint (static) says what to do. */
int folders_open(const char *data_path, uint32_t gid, int *ret_fd, const char **ret_hint) _must_use_;
/* The staging folder of a request that is about to be copied: new, or what an earlier try (or a crash between rename and commit) left. */
int folders_stage(int data_fd, const Request *r) _must_use_;
/* Puts the folder where r->state wants it, from wherever it is. A folder that is nowhere is fine (0). */
int folders_settle(int data_fd, const Request *r) _must_use_;
/* Back from the home into .staging, when the folder of a request that is not ready is there already: the commit that was to make it true never came. */
int folders_take_back(int data_fd, const Request *r, const char *account) _must_use_;
/* Is `.purge/<id>.<life>` there? */
bool folders_purge_pending(int data_fd, const char *id, uint64_t life);
/* Is the folder of a request that has ended still where it was before: about to be moved to `.purge`, by whoever ended it? has_id: no newer request has
 * taken the id, so that `<account>/<id>` can only be its own. */
bool folders_purge_ahead(int data_fd, const Request *r, bool has_id);
/* ---- drop folders: an account's `_buzon`, which people write into and nobody here reads ---- */
/* Makes it, or puts its modes right. */
int folders_drop_make(int data_fd, const char *account) _must_use_;
bool folders_drop_exists(int data_fd, const char *account);
/* Moves it, when it is there, into `.purge/_buzon.<id>.<life>`, beside what may lie there already. */
int folders_drop_take(int data_fd, const char *account, const char *id, uint64_t life) _must_use_;
/* Is `.purge/_buzon.<id>.<life>` there? */
bool folders_drop_pending(int data_fd, const char *id, uint64_t life);

/* Free and total bytes of the data path's file system. */
int folders_space(int data_fd, uint64_t *ret_free, uint64_t *ret_total) _must_use_;
/* Everything found in the data path that could be a request's folder: kind 's'taging, 'b'locked, 'p'urge, 'h'ome (name "<account>/<id>"). */
typedef int (*FoldersWalk)(char kind, const char *name, void *userdata);
int folders_walk(int data_fd, FoldersWalk walk, void *userdata) _must_use_;
/* Moves an orphan ("<account>/<id>" or ".staging/<id>.<life>") into .purge under a name of its own: "<id>.<life>". */
int folders_orphan(int data_fd, const char *relative, const char *id, uint64_t life) _must_use_;
