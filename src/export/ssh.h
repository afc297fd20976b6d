/* An SSH connection that carries the subsystem "sftp": two directions of bytes. libssh is known here alone. RFC 4251 to 4254. */
#pragma once

#include "export/remote.h"

typedef struct Ssh Ssh;

/* Connects to one of the order's addresses, compares the host key with the accepted one before anything is sent, logs in, starts the subsystem. What was
 * shown as the key is in ret_host_key also when it failed ("" when it did not come to that). *cleaning: see Remote. Returns as remote.h says. */
int ssh_open(const Line *line, const bool *cleaning, Ssh **ret, char ret_host_key[static HOST_KEY_SIZE], ExportFailure *ret_failure) _must_use_;
Ssh *ssh_close(Ssh *s);

/* All of it; waits for room, and while it waits for `on_wait` to take what the server says (so that neither waits for the other). */
int ssh_send(Ssh *s, const void *data, size_t size, int (*on_wait)(void *userdata), void *userdata, ExportFailure *ret_failure) _must_use_;
/* What is there, at least a byte, at most `size`: waits for it for Line.answer_seconds. */
int ssh_receive(Ssh *s, void *data, size_t size, size_t *ret_size, ExportFailure *ret_failure) _must_use_;
/* Likewise what is there now; *ret_size 0: nothing. */
int ssh_receive_now(Ssh *s, void *data, size_t size, size_t *ret_size, ExportFailure *ret_failure) _must_use_;
