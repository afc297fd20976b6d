/* What back ends share whose accounts are nothing but rows of the state database: there is nothing else to make, change, take away or list. Private to
 * accounts/. */
#pragma once

#include "accounts/backend.h"

/* A new password in *ret, with the hash that `hash` makes of it; or what is there is kept. */
int stateless_prepare(const AccountWish *wish, int (*hash)(const char *password, char ret[static PASSWORD_HASH_SIZE]), AccountGrant *ret);
int stateless_ensure(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble);
int stateless_set_access(AccountBackend *b, const AccountWish *wish, bool *ret_changed, AccountTrouble *ret_trouble);
int stateless_remove(AccountBackend *b, const AccountWish *wish, AccountTrouble *ret_trouble);
int stateless_list(AccountBackend *b, AccountRowWalk walk, void *userdata, AccountTrouble *ret_trouble);
int stateless_probe(AccountBackend *b, AccountTrouble *ret_trouble);
void stateless_free(AccountBackend *b);
int stateless_new(const AccountBackendVtable *v, AccountBackend **ret) _must_use_;
