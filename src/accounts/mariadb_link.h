/* One connection to the MariaDB server: made with time-outs and TLS, its table looked at, its statements prepared. What is asked over it, and how often a
 * broken one is made anew, is mariadb.c's business. libmariadb's own ways of failing become AccountTrouble here. Private to accounts/. */
#pragma once

#include "accounts/table_shape.h"

#include <mysql.h>

typedef struct Link {
    MYSQL *mysql;
    MYSQL_STMT *statements[TABLE_STATEMENT_MAX];
    TableShape shape;
    unsigned lock_seconds; /* how long a lock is waited for: less than the server has to answer */
    uint64_t deadline_ms; /* monotonic: nothing more is asked after it */
    uint64_t checked_ms;  /* monotonic: when the table was looked at */
    bool pooled;          /* it has served an earlier call: may have died since */
    bool broken;          /* not to be used again */
} Link;

/* When a call that begins now must have been answered. */
uint64_t link_deadline(const Settings *s);
/* Takes FTP_DB_TIMEOUT at most, but for the look-up of a host's name, which takes what resolv.conf(5) allows. -EAGAIN and the others of backend.h, with the trouble. */
int link_open(const Settings *s, uint64_t deadline_ms, Link **ret, AccountTrouble *ret_trouble) _must_use_;
Link *link_close(Link *l);
/* Does the table still fit? Where it has changed so that other statements are needed the connection is broken. */
int link_check_table(Link *l, const Settings *s, AccountTrouble *ret_trouble) _must_use_;
/* Has the server hung up while nobody used it? Asks nothing. */
bool link_is_dead(const Link *l);

/* Runs a prepared statement; its rows, if any, wait for link_fetch() or link_end(). *ret_rows (may be NULL): rows found or changed. */
int link_run(Link *l, TableStatement s, MYSQL_BIND *parameters, MYSQL_BIND *results, uint64_t *ret_rows, AccountTrouble *ret_trouble) _must_use_;
/* 1: a row is in the results' buffers; 0: there are no more. */
int link_fetch(Link *l, TableStatement s, AccountTrouble *ret_trouble) _must_use_;
void link_end(Link *l, TableStatement s);

/* Changes of one account follow each other, even where an earlier one was sent to a server that hung and nobody waited for: its connection holds the lock
 * until the server has worked it off or dropped it. Across processes too. -EAGAIN: it is held. */
int link_lock(Link *l, const char *account, AccountTrouble *ret_trouble) _must_use_;
void link_unlock(Link *l, const char *account);
