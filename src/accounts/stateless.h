/* What back ends share whose accounts are nothing but rows of the state database: there is nothing else to make, change, take away or list. They differ in
 * their name and in what their hashes are. Private to accounts/. */
#pragma once

#include "accounts/backend.h"

typedef int (*StatelessHash)(const char *password, char ret[static PASSWORD_HASH_SIZE]);

int stateless_prepare(AccountBackend *b, const AccountWish *wish, AccountGrant *ret, AccountTrouble *ret_trouble);
int stateless_ensure(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble);
int stateless_set_access(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble);
int stateless_remove(AccountBackend *b, const AccountWish *wish, AccountTrouble *ret_trouble);
int stateless_list(AccountBackend *b, AccountRowWalk walk, void *userdata, AccountTrouble *ret_trouble);
int stateless_probe(AccountBackend *b, AccountTrouble *ret_trouble);
void stateless_free(AccountBackend *b);

#define STATELESS_VTABLE(called)                                                                                                                             \
    {                                                                                                                                                        \
        .name = called, .prepare = stateless_prepare, .ensure = stateless_ensure, .set_access = stateless_set_access, .remove = stateless_remove,             \
        .list = stateless_list, .probe = stateless_probe, .free = stateless_free,                                                                             \
    }

int stateless_new(const AccountBackendVtable *v, StatelessHash hash, AccountBackend **ret) _must_use_;
