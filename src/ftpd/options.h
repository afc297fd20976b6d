/* The command line of tempoftp-ftpd. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

#define OPTION_LISTEN_MAX 8
#define OPTION_USERS_MAX 64
#define STANDALONE_ADDRESS "127.0.0.1:2121"
#define STANDALONE_ROOT "ftp_server_files"

typedef struct Options {
    const char *listen[OPTION_LISTEN_MAX]; /* --listen */
    size_t n_listen;
    const char *root;                      /* --root */
    char *users[OPTION_USERS_MAX];         /* --user; wiped by whoever reads them */
    size_t n_users;
    bool write;                            /* --write */
    const char *env_file;                  /* --env-file */
} Options;

/* Stand-alone mode was asked for. */
static inline bool options_standalone(const Options *o) {
    return o->n_users > 0 || o->n_listen > 0 || o->root;
}

/* 0: go on. 1: --help or --version was answered. -EINVAL: stderr says why. */
int options_parse(int argc, char **argv, Options *ret) _must_use_;
