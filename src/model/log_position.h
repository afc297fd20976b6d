/* How far a log file was read: what tempoftp-xferlog sees of one file, and tempoftpd keeps in one transaction with what was counted.
 *
 * A file is known by device and inode, and, because inodes are used again and copies have others, by a digest of the bytes just before the position. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_POSITIONS_MAX 16  /* files; the one that was not moved for longest goes first */
#define LOG_DIGEST_SIZE 65    /* SHA-256 in hex, and NUL */
#define LOG_DIGEST_BYTES 4096 /* how many bytes before the position it is of, at most */
#define LOG_POSITIONS_TEXT_SIZE (LOG_POSITIONS_MAX * 160)

typedef struct LogPosition {
    uint64_t device, inode; /* st_dev, st_ino; inode 0: no position */
    uint64_t offset;        /* bytes that are read */
    uint64_t newest;        /* UTC seconds of the newest line among them; 0: none */
    char digest[LOG_DIGEST_SIZE];
} LogPosition;

typedef struct LogPositions {
    size_t n;
    LogPosition at[LOG_POSITIONS_MAX]; /* moved last, last */
} LogPositions;

bool log_position_is_valid(const LogPosition *p); /* a file's, with a digest in lower-case hex; numbers below 2^63 */
bool log_position_equals(const LogPosition *a, const LogPosition *b);
bool log_position_same_file(const LogPosition *a, const LogPosition *b); /* device and inode */

/* Puts `after` in the place of `before`, which has to stand there just so: -ESTALE. before->inode 0: of a file that has none yet. */
int log_positions_move(LogPositions *p, const LogPosition *before, const LogPosition *after) _must_use_;
uint64_t log_positions_newest(const LogPositions *p); /* over all files */

/* As one line of text, and back. -EINVAL: not our writing. */
void log_positions_format(const LogPositions *p, char ret[static LOG_POSITIONS_TEXT_SIZE]);
int log_positions_parse(const char *text, LogPositions *ret) _must_use_;
