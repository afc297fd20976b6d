/* The one table of calls: method, path, handler, who may, and what else is checked before the handler runs. */
#pragma once

#include "api/gate.h"

typedef void (*RouteHandler)(Call *c);

typedef enum RouteFlag {
    ROUTE_BODY = 1 << 0,          /* needs a JSON body */
    ROUTE_OPTIONAL_BODY = 1 << 1, /* may have one */
    ROUTE_VISIT = 1 << 2,         /* alters nothing but who is in: AUDIT_VISIT */
    ROUTE_QUIET = 1 << 3,         /* no reason to stay: the service may go idle for all that this is called */
} RouteFlag;

/* What a call counts against; see route.c's table. */
typedef enum RouteLimit { LIMIT_NONE, LIMIT_POST, LIMIT_REGISTER, LIMIT_LOGIN, LIMIT_TOKEN_CREATE, LIMIT_TOKEN_VALIDATE, LIMIT_MAX } RouteLimit;

struct Route {
    const char *method;
    const char *path; /* {} stands for one segment */
    RouteHandler handler;
    GateRule rule;
    RouteLimit limit;
    unsigned flags;
    const char *help;
};

/* The table. */
const Route *route_table(size_t *ret_n);
/* How often one caller may call what counts so; NULL for LIMIT_NONE. */
const RateLimit *route_limit(RouteLimit which, const Settings *settings);

/* The same for a name in the state database; NULL when there is no such limit. */
const RateLimit *route_limit_by_name(const char *name, size_t size, const void *settings);

/* Finds the route, checks method, access, limits and body, and runs its handler; answers by itself whatever is refused. */
void route_call(Call *c);
