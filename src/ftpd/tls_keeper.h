/* The process that has the TLS private key, and nothing else: no client's byte ever reaches it, only digests to sign, one for each handshake.
 *
 * So neither a relay (which reads what strangers send) nor a session has the key in its memory, nor anything they are forked from. */
#pragma once

#include "basic/cleanup.h"
#include "ftpd/jail.h"
#include "ftpd/tls.h"

/* Forks it. It reads the key itself, and ends when *ret_fd, the caller's, is closed. -EINVAL: *ret_error says what is wrong with the key. */
int keeper_start(const char *key_path, const char *certificate, const Jail *jail, int *ret_fd, char **ret_error) _must_use_;
/* A socket over which one signature can be had, the caller's; or a negative errno. */
int keeper_admit(int keeper_fd);
/* A TlsSigner over such a socket (userdata: an int *). Waits. */
int keeper_ask(void *userdata, int padding, const void *data, size_t size, uint8_t ret[static TLS_SIGN_MAX]) _must_use_;
