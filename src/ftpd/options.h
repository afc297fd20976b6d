/* The command line of tempoftp-ftpd: one table in options.c, from which --help is made too. */
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
    char *users[OPTION_USERS_MAX];         /* --user: in argv until standalone_hide_users() */
    size_t n_users;
    const char *users_file;                /* --users-file */
    const char *tls_cert, *tls_key;        /* --tls-cert, --tls-key: any path, unlike the settings */
    bool write;                            /* --write */
    bool hash_password;                    /* --hash-password */
    const char *env_file;                  /* --env-file */
} Options;

/* Stand-alone mode was asked for. */
static inline bool options_standalone(const Options *o) {
    return o->n_users > 0 || o->n_listen > 0 || o->root || o->users_file || o->write;
}

/* 0: go on. 1: --help or --version was answered. -EINVAL: stderr says why. -ENOMEM. An option that stands for a setting puts it into the environment,
 * where settings_load() finds it before what the environment and --env-file said. */
int options_parse(int argc, char **argv, Options *ret) _must_use_;
/* The option that gave the setting which this error text begins with ("NAME: …"), or NULL. */
const char *options_blamed(const char *error);
