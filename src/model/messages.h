/* The catalog of journal messages (MESSAGE_ID=) and the Spanish texts of states. catalog/tempoftp.catalog explains them to operators. */
#pragma once

#include "model/request.h"

/* 32 hex digits, for "a request became …". */
const char *message_id_for_state(State s);
#define MESSAGE_ID_PURGE_FAILED "c1a0f2b9e6d84f7b8a53d9e0417c2f66"   /* data could not be removed, will be tried again */
#define MESSAGE_ID_PURGED "dd3903a07729426899ea745d8d2cc36a"         /* a request's data is gone */
#define MESSAGE_ID_EXTENDED "a43925e8fbac4a6c945193121eb7ac95"       /* a request ends later */
#define MESSAGE_ID_ORPHAN "9d2e4b7c60f14a8eb1c5a3d7f8e90421"         /* a folder that no live request owns */
#define MESSAGE_ID_AUTH_OFF "3b8c9e1f7a264d50b0e2c4d6a8f01357"       /* the API has no access control */
#define MESSAGE_ID_AUDIT "d94f1b7c2e6a40538b0c7e13f5a2d864"          /* a call that alters something, or was refused */
#define MESSAGE_ID_CERTIFICATE "6be1d8f0c4a74e2f9d35b0a7e8c19264"     /* the API has a new TLS certificate */
#define MESSAGE_ID_CERTIFICATE_REFUSED "a2f47c90d1be4b6c8e53f70d96a1b3c8" /* the API's TLS certificate is bad */
#define MESSAGE_ID_PLAIN_HTTP "f5c83b1e7d0949a2b6e4d8107a9c2f53"      /* other machines reach the API without TLS, though there is TLS */
#define MESSAGE_ID_CLOCK_JUMP "e47d1c2a9b5f4e03a6c8d0f2b4971e6a"     /* the clock jumped, purges wait */
#define MESSAGE_ID_LOGIN "7c5d3e9f1b2a4c68908d6e4f2a1b3c5d"          /* an FTP login was decided */
#define MESSAGE_ID_UPLOAD "4f0b7e92d35c4a1b8d6e2f71a9c05b38"         /* an FTP client put a file */
#define MESSAGE_ID_FETCHED "b31211f1be7d1093dcc473e0c7ced336"        /* an FTP client got a file, or a part of it */
#define MESSAGE_ID_SESSION_ENDED "737c1c96562566cb75a95920282ae597"  /* an FTP session is over */
#define MESSAGE_ID_RULES_BROKEN "fe090d4de1c707496fa992e9eb651a7c"   /* a process of an FTP client did what ours never do, and was killed */
#define MESSAGE_ID_LIMIT "5b0f8e2d7c914a63b1e7d94f3a6c2085"        /* an FTP client was refused by a limit */
#define MESSAGE_ID_BAN "a64e19d3f7b0428c9d5e2c81b7f03a96"          /* an address is turned away for a while */
#define MESSAGE_ID_TRANSFER_RETRY "18f6a4d2c0be4937a5d3f1e2b4c69780" /* a transfer unit was lost and starts again */
#define MESSAGE_ID_DROP "5b0d7e3a91c64f28a7f3e8d2c6409b1e"           /* an account's drop folder was opened, closed, removed */
#define MESSAGE_ID_SESSIONS "d8a14c7f02e94b63a5f1c09e7b3d6284"       /* sessions of what is closed could not be ended, will be tried again */
#define MESSAGE_ID_ACCOUNTS_TROUBLE "f525606f25cfd92922d25dfe7827cd6f"  /* the account back end is away or refuses; or does as it is told again */
#define MESSAGE_ID_ACCESS_WAITS "7ccb0487ce4053d75914df8f711e0b2e"      /* an account's change has not reached the back end yet */
#define MESSAGE_ID_ACCESS_TOLD "917eb7d4a5b201ecc0e0590305f2e1fb"       /* the back end has taken an account away */
#define MESSAGE_ID_ACCOUNT_ROWS "daba5dc3559dbe1993ae7fce15d7916e"      /* the back end's rows differ from the state database: foreign ones, or set right */
#define MESSAGE_ID_DOWNLOADED "c27d5b8e14f94e0f9a60d3b1f5e7a482"     /* downloads were counted out of Pure-FTPd's transfer log */
#define MESSAGE_ID_TURNED_AWAY "2f9ac1d7e05b4b8a9c63e1748d20f5b6"       /* a client of the API has no connection, because there are too many */
#define MESSAGE_ID_TRANSFER_LOG "d81f4c06a3b7495e8c2b7e95f0d6a13f"   /* Pure-FTPd's transfer log cannot be counted, or not all of it */
#define MESSAGE_ID_EXPORT "3f0c5a7e18d94b62a1e7c84f9b2d6073"         /* a request on its way to a destination: begins, goes on, has arrived, was cancelled */
#define MESSAGE_ID_EXPORT_FAILED "a9e27d41c6f3485b90d8e1b35f7a2c68"  /* a request could not be sent to a destination */

/* `mensaje` of a request as GET shows it. */
void request_message(const Request *r, char *ret, size_t size);
/* The message of a copy that waits for its account. refusal: why the back end does not make it; NULL: it does not answer. */
void account_wait_message(const char *refusal, char *ret, size_t size);
