/* org.tempoftp.Manager1 on the system bus. docs/INTERNALS.md "D-Bus". */
#pragma once

#include "api/manager.h"

#define BUS_NAME "org.tempoftp.Manager1"

/* Connects, adds the object and takes the name. */
int bus_open(Manager *m) _must_use_;
/* Gives the name back; `released` runs when the bus has confirmed it (NameOwnerChanged), so that no call is lost. */
typedef void (*BusReleased)(Manager *m);
int bus_release(Manager *m, BusReleased released) _must_use_;

/* Answers a kept message with nothing, or with the error name for r; unrefs it. */
void bus_answer(sd_bus_message *call, int r, const char *text);
/* login.c */
int login_authenticate(sd_bus_message *call, void *userdata, sd_bus_error *error);
/* downloads.c */
int downloads_told(sd_bus_message *call, void *userdata, sd_bus_error *error);
int downloads_logged(sd_bus_message *call, void *userdata, sd_bus_error *error);
int downloads_positions(sd_bus_message *call, void *userdata, sd_bus_error *error);
