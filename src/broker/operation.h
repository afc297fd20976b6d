/* One call to the broker while systemd works on it: first units to stop, then perhaps one to start; then the answer. */
#pragma once

#include "broker/broker.h"

/* What is to be done. Copied; `start` and `auxiliary` are taken over. */
typedef struct Order {
    const char *stop[2];      /* names of units to stop first; NULL: none */
    bool at_once;             /* do not wait for earlier operations on the same unit (stopping one that is starting) */
    TransientUnit *start;     /* NULL: only stop */
    TransientUnit *auxiliary; /* a timer's service, or NULL */
} Order;

/* Begins it. The call is answered when all is done; on error here nothing was begun and the caller answers. -EAGAIN: too many under way. */
int operation_begin(Broker *b, sd_bus_message *call, const Order *order) _must_use_;
