/* Connections that wait for the next call: a few, for as long as the server keeps them. Any thread may use it. Private to accounts/. */
#pragma once

#include "accounts/mariadb_link.h"

#include <pthread.h>

#define IDLE_LINKS_MAX 4 /* kept; more calls at the same time make their own */

typedef struct LinkPool {
    const Settings *settings;
    pthread_mutex_t mutex; /* of what follows */
    Link *idle[IDLE_LINKS_MAX];
    size_t idle_n;
} LinkPool;

void link_pool_init(LinkPool *p, const Settings *settings);
void link_pool_done(LinkPool *p);

/* One call's work, over one connection; negative errno and the trouble. */
typedef int (*LinkWork)(Link *l, void *userdata, AccountTrouble *ret_trouble);
/* Does it, within FTP_DB_TIMEOUT. Again over another connection when one that waited has died unnoticed, so the work must be such that can be done again. */
int link_pool_do(LinkPool *p, LinkWork work, void *userdata, AccountTrouble *ret_trouble) _must_use_;
/* The same, while no other change of that account is under way (link_lock()). */
int link_pool_change(LinkPool *p, const char *account, LinkWork work, void *userdata, AccountTrouble *ret_trouble) _must_use_;
