/* The one table of calls: method, path, handler, and what is checked before the handler runs. */
#pragma once

#include "api/call.h"

typedef void (*RouteHandler)(Call *c);

typedef enum RouteFlag {
    ROUTE_BODY = 1 << 0,          /* needs a JSON body */
    ROUTE_OPTIONAL_BODY = 1 << 1, /* may have one */
    ROUTE_RATE_POST = 1 << 2,     /* counts against TEMPOFTP_RATE_LIMIT_POST */
    ROUTE_OPERATOR = 1 << 3,      /* over the Unix socket only: 403 elsewhere */
} RouteFlag;

struct Route {
    const char *method;
    const char *path; /* {} stands for one segment */
    RouteHandler handler;
    unsigned flags;
    const char *help;
};

/* Finds the route, checks method, body and limits, and runs its handler; answers by itself whatever is refused. */
void route_call(Call *c);
