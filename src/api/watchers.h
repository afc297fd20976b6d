/* Who follows a request: event streams over HTTP (GET /tmpftp/{id}/eventos), and code that waits for an end. */
#pragma once

#include "api/manager.h"

#define WATCHERS_MAX 256

int watchers_new(Watchers **ret) _must_use_;
Watchers *watchers_free(Watchers *w);
/* New events of that life are on disk: sends them on. */
void watchers_publish(Manager *m, uint64_t life);
/* Ends every stream (the service stops), or those of one user, who may not be allowed any more; clients reconnect with Last-Event-ID. */
void watchers_end(Manager *m, uint64_t user /* 0: all */);
/* Calls once, when the request is no longer under way or after timeout_ms. */
typedef void (*WatchersFinal)(Manager *m, uint64_t life, void *userdata);
int watchers_wait_final(Manager *m, uint64_t life, uint64_t timeout_ms, WatchersFinal final, void *userdata) _must_use_;
