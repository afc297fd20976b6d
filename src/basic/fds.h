/* Files and file descriptors: whole reads and writes, sockets handed over by systemd, peers.
 *
 * Errors: negative errno. Every fd made here is O_CLOEXEC. */
#pragma once

#include "basic/cleanup.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The whole file, NUL-terminated (the NUL is not counted); -E2BIG past max bytes. Caller frees (wipes, if secret). */
int read_file(const char *path, size_t max, char **ret, size_t *ret_size) _must_use_;
/* pread(2) that retries EINTR: bytes, 0 at the end, or a negative errno. */
ssize_t read_at(int fd, void *data, size_t size, uint64_t offset) _must_use_;
/* Writes all or fails; retries EINTR. */
int write_all(int fd, const void *data, size_t size) _must_use_;
int set_nonblocking(int fd, bool on) _must_use_;
/* As many open files as this process may allow itself; what a shell gives is meant for select(2). */
void raise_fd_limit(void);

#define ADDRESS_TEXT_MAX 128
/* "203.0.113.5", "2001:db8::1" (v4-mapped shown as v4), "unix", without port. */
void address_text(const struct sockaddr *address, char ret[static ADDRESS_TEXT_MAX]);
/* The peer of a connected socket, as above; "unknown" on error. */
void peer_text(int fd, char ret[static ADDRESS_TEXT_MAX]);

/* Listening sockets from systemd (sd_listen_fds_with_names), taken by name. */
typedef struct ListenFds ListenFds;
/* Takes all passed fds (sets CLOEXEC); an empty list is fine. Unsets LISTEN_*. */
int listen_fds_new(ListenFds **ret) _must_use_;
/* Next not yet taken fd with that FileDescriptorName=; -ENOENT when there is none. The caller owns it. */
int listen_fds_take(ListenFds *l, const char *name);
/* Any not yet taken fd and its name (the list's, for as long as it lives): for names made at run time, as in the fd store. -ENOENT. */
int listen_fds_take_any(ListenFds *l, const char **ret_name);
/* Closes what nobody took. */
ListenFds *listen_fds_free(ListenFds *l);
DEFINE_CLEANUP(ListenFds, listen_fds_free)

/* A new listening socket on "127.0.0.1:9043", "[::1]:9043" or "/path.sock": for programs without systemd. */
int listen_on(const char *address) _must_use_;

/* A systemd credential ($CREDENTIALS_DIRECTORY/name): contents trimmed of one trailing newline. -ENOENT when not given. */
int read_credential(const char *name, size_t max, char **ret) _must_use_;
