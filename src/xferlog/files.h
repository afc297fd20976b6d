/* The transfer log and those it was before it was rotated: which of them there are, and where each goes on.
 *
 * A known position belongs to the file with its device and inode, as long as the bytes before it are the same. Otherwise to the one that holds the same
 * bytes there: the copy that `copytruncate` made, or the same file after a reboot that gave its disk another number. */
#pragma once

#include "model/log_position.h"

#include <sys/stat.h>

#define LOG_FILES_MAX 12 /* the log and the newest others: fewer than positions are kept, or the files would push out each other's */

typedef struct LogFile {
    int fd;
    LogPosition file;   /* device and inode */
    uint64_t size;
    int64_t modified_ns;
    bool current;       /* the log itself */
    LogPosition known;  /* how far its bytes were read, in this file or in the one it is a copy of; inode 0: nobody knows it */
    bool second;        /* of two files that hold the same: the one that the position is not of */
} LogFile;

typedef struct LogFiles {
    size_t n;
    LogFile at[LOG_FILES_MAX]; /* in the order they are to be read: oldest first, the log itself last */
} LogFiles;

char *log_folder(const char *path); /* the folder it is in, with a '/' at its end. Heap; NULL: no memory */
/* Looks for `path` and its rotated siblings: PATH.1, PATH-20261121, …, not compressed, plain files, no links. `held`: an fd of the log that was open
 * before (or negative): it is among them though it has no name any more. A missing log or folder is no error. */
int log_files_find(const char *path, int held, LogFiles *ret) _must_use_;
/* Tells which position goes on in which file. */
int log_files_match(LogFiles *f, const LogPositions *p) _must_use_;
void log_files_done(LogFiles *f);
#define _cleanup_log_files_ _cleanup_(log_files_done)
