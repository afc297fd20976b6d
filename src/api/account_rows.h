/* Compares what the account back end holds with the state database, both ways, at start and with the sweep: rows of ours that differ, have vanished or should
 * be gone become access tasks (access.h); rows of others are counted, named in the journal when they are other ones than last time, and left alone. */
#pragma once

#include "api/manager.h"

int account_rows_new(AccountRows **ret) _must_use_;
AccountRows *account_rows_free(AccountRows *rows);

/* Does it as soon as the back end lets us; nothing where accounts are the state database's alone. */
void account_rows_compare(Manager *m);
/* It was asked for and has not come to pass: for the back end's retry. */
bool account_rows_wait(const Manager *m);
void account_rows_retry(Manager *m);
