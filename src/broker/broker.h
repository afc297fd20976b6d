/* The broker's one Broker: bus, settings, and the operations under way. Everything runs on one event loop; nothing blocks it. */
#pragma once

#include "model/settings.h"
#include "units/bus_name.h"
#include "units/transient.h"

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define BROKER_OPERATIONS_MAX 512 /* calls not answered yet */

typedef struct Operation Operation;

typedef struct Broker {
    sd_event *event;
    sd_bus *bus;
    Settings *settings;
    BusName *name;
    uid_t service_uid;     /* of user tempoftp */
    Operation *operations; /* oldest first */
    unsigned n_operations;
    sd_event_source *idle;
} Broker;

/* service.c: org.tempoftp.Broker1 */
int broker_export(Broker *b) _must_use_;

/* operation.c: listens to systemd's JobRemoved and UnitRemoved */
int broker_watch_systemd(Broker *b) _must_use_;
void broker_drop_operations(Broker *b);

/* main.c: an operation ended; maybe it was the last */
void broker_rest(Broker *b);
