/* A session of a foreign FTP server as a line of text: how tempoftp-pureftpd tells tempoftpd of it. One line a session, eight fields with a tab between
 * each two. Pure.
 *
 * File names are strangers' bytes: '%', control characters and what is not ASCII stand as "%XX". */
#pragma once

#include "basic/buffer.h"
#include "model/request.h"

#define SESSION_PATH_SIZE 4096 /* PATH_MAX of Linux */
#define SESSION_PEER_SIZE 64

typedef struct SessionLine {
    uint32_t pid;
    uint64_t since;      /* UTC seconds, 0: unknown */
    uint64_t sent, size; /* bytes of the file: how far it has come, and all of it */
    char account[ACCOUNT_NAME_MAX + 1], peer[SESSION_PEER_SIZE];
    char folder[SESSION_PATH_SIZE], file[SESSION_PATH_SIZE]; /* from the account's home on, beginning with '/'; "" when unknown or none */
} SessionLine;

/* Adds the line, with its end. Errors stick in the buffer. */
void session_line_format(const SessionLine *s, Buffer *to);
/* Reads one line, without its end, which it overwrites. -EINVAL: it is none; what *ret holds then has no meaning. */
int session_line_parse(char *line, SessionLine *ret) _must_use_;
