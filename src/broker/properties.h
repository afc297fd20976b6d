/* The properties of a unit that an answer to org.freedesktop.DBus.Properties.GetAll holds, a{sv}. */
#pragma once

#include <systemd/sd-bus.h>

/* What is wanted of them: the text of `name`, cut to `size` bytes with its end, or, where `number` is set, its int32. */
typedef struct WantedProperty {
    const char *name;
    char *text;
    size_t size;
    int32_t *number;
} WantedProperty;

/* `wanted` ends with a row without a name. What isn't there leaves its outputs alone. Returns 0 or a negative errno. */
int properties_read(sd_bus_message *m, const WantedProperty *wanted);
