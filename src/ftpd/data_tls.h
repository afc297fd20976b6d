/* A data connection under TLS (PROT P): what data.c calls when there is one. */
#pragma once

#include "ftpd/data.h"

/* The handshake over a connection that stands. `tickets`: the client gets a new one; not when it only sends, because unread bytes at its close would
 * cut what it sent. -EPROTO: no TLS, or nothing to resume where that is asked for. */
int data_tls_begin(DataChannel *d, TlsServer *server, TlsUse use, bool tickets) _must_use_;
int data_tls_send_file(DataChannel *d, int file_fd, uint64_t offset, uint64_t end) _must_use_;
int data_tls_send(DataChannel *d, const void *data, size_t size) _must_use_;
/* -ECONNRESET: the connection ended before the client said that this is the end. */
ssize_t data_tls_receive(DataChannel *d, void *data, size_t size) _must_use_;
void data_tls_end(DataChannel *d, bool cut);
