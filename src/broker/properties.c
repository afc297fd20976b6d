/* Picks the wanted ones out of all the properties that systemd tells of a unit. It refuses to know what they mean. */
#include "broker/properties.h"

#include "basic/strings.h"

#include <stdio.h>

int properties_read(sd_bus_message *m, const WantedProperty *wanted) {
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");

    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        const char *name, *text;
        const WantedProperty *w = wanted;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
            return r;
        while (w->name && !streq(w->name, name))
            w++;
        if (!w->name)
            r = sd_bus_message_skip(m, "v");
        else if (w->number)
            r = sd_bus_message_read(m, "v", "i", w->number);
        else if ((r = sd_bus_message_read(m, "v", "s", &text)) >= 0)
            snprintf(w->text, w->size, "%s", text);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    return r < 0 ? r : 0;
}
