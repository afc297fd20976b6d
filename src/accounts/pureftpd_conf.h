/* Pure-FTPd's MySQL configuration file (README.MySQL of Pure-FTPd), as far as it has to agree with ours. Pure: text in, findings out. It may hold a
 * password: nothing of the file is kept or repeated but the one word. Private to accounts/. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

#define PUREFTPD_CONF_MAX (64 * 1024) /* bytes of a file */
#define PUREFTPD_CRYPT_SIZE 32

typedef struct PureftpdConf {
    char crypt[PUREFTPD_CRYPT_SIZE]; /* MYSQLCrypt, "" when it is not there */
    bool asks_status;                /* MYSQLGetPW, without which nobody gets in, looks at a column Status: blocked accounts stay out */
    bool asks_expires;               /* and at Expires: access ends by itself */
} PureftpdConf;

/* -EINVAL: not text, or MYSQLCrypt twice with different words, or longer than any word that means something. */
int pureftpd_conf_parse(const char *text, size_t size, PureftpdConf *ret) _must_use_;
