/* A transient unit as data: a name and its properties, checked and looked at before anything goes to systemd.
 *
 * Source: org.freedesktop.systemd1(5), StartTransientUnit; the wire types of systemd.git src/shared/bus-unit-util.c. */
#pragma once

#include "model/unit_name.h"

#include <systemd/sd-bus.h>

#define TRANSIENT_PROPERTIES_MAX 24
#define TRANSIENT_LIST_MAX 640 /* entries of one property */

typedef enum PropertyType {
    PROPERTY_BOOL,      /* b */
    PROPERTY_NUMBER,    /* t */
    PROPERTY_TEXT,      /* s */
    PROPERTY_LIST,      /* as */
    PROPERTY_FIELDS,    /* aay: LogExtraFields */
    PROPERTY_COMMAND,   /* a(sasb): ExecStart, one command; list[0] is the program */
    PROPERTY_ADDRESSES, /* a(iayu): literal IP addresses */
    PROPERTY_BINDS,     /* a(ssbt): folders bound writable, recursively, to the same place */
    PROPERTY_CALENDAR,  /* a(ss): one OnCalendar= */
    PROPERTY_INPUT,     /* h: a pipe with this text, for the unit to read from its standard input; a secret */
    PROPERTY_ACTIVE,    /* a(st): one OnActiveSec=, microseconds */
    PROPERTY_FD,        /* h: `number` is an fd, borrowed until the message is made */
} PropertyType;

typedef struct Property {
    const char *name; /* static */
    PropertyType type;
    uint64_t number;
    char *text;
    char **list;
} Property;

typedef struct TransientUnit {
    char name[UNIT_NAME_SIZE];
    Property properties[TRANSIENT_PROPERTIES_MAX];
    size_t n;
    int error; /* 0 or the first negative errno; sticks */
} TransientUnit;

void transient_init(TransientUnit *u, const char *name);
void transient_done(TransientUnit *u);
#define _cleanup_transient_ _cleanup_(transient_done)

/* All copy what they are given. Errors stick in u->error: -ENOMEM, -E2BIG, -EINVAL for something that is no address, or a '$' in a command. */
void transient_bool(TransientUnit *u, const char *name, bool value);
void transient_number(TransientUnit *u, const char *name, PropertyType type, uint64_t value);
void transient_text(TransientUnit *u, const char *name, PropertyType type, const char *value);
void transient_list(TransientUnit *u, const char *name, PropertyType type, const char *const *values);
/* NULL when there is no such property. */
const Property *transient_find(const TransientUnit *u, const char *name);

/* The array a(sv). */
int transient_append(sd_bus_message *m, const TransientUnit *u) _must_use_;
