/* Builds a transient unit as data and writes it into a D-Bus message.
 *
 * It knows the wire types of systemd's properties; which properties a unit has is the broker's business. */
#include "units/transient.h"

#include "basic/fds.h"
#include "basic/strings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>

void transient_init(TransientUnit *u, const char *name) {
    *u = (TransientUnit) { 0 };
    snprintf(u->name, sizeof(u->name), "%s", name);
}

void transient_done(TransientUnit *u) {
    for (size_t i = 0; i < u->n; i++) {
        wipe_free(u->properties[i].text);
        strv_free(u->properties[i].list);
    }
    u->n = 0;
}

static Property *property_new(TransientUnit *u, const char *name, PropertyType type) {
    Property *p;

    if (u->error < 0)
        return NULL;
    if (u->n == TRANSIENT_PROPERTIES_MAX) {
        u->error = -E2BIG;
        return NULL;
    }
    p = &u->properties[u->n++];
    *p = (Property) { .name = name, .type = type };
    return p;
}

void transient_bool(TransientUnit *u, const char *name, bool value) {
    transient_number(u, name, PROPERTY_BOOL, value);
}

void transient_number(TransientUnit *u, const char *name, PropertyType type, uint64_t value) {
    Property *p = property_new(u, name, type);
    if (p)
        p->number = value;
}

void transient_text(TransientUnit *u, const char *name, PropertyType type, const char *value) {
    Property *p = property_new(u, name, type);
    if (!p)
        return;
    p->text = strdup(value);
    if (!p->text)
        u->error = -ENOMEM;
}

typedef struct Address {
    int family;
    size_t size;
    uint8_t bytes[sizeof(struct in6_addr)];
} Address;

static int address_parse(const char *text, Address *ret) {
    Address a = { .family = AF_INET, .size = sizeof(struct in_addr) };

    if (inet_pton(AF_INET, text, a.bytes) != 1) {
        a = (Address) { .family = AF_INET6, .size = sizeof(struct in6_addr) };
        if (inet_pton(AF_INET6, text, a.bytes) != 1)
            return -EINVAL;
    }
    *ret = a;
    return 0;
}

void transient_list(TransientUnit *u, const char *name, PropertyType type, const char *const *values) {
    Property *p = property_new(u, name, type);
    size_t n = 0;

    if (!p)
        return;
    while (values[n] && n <= TRANSIENT_LIST_MAX)
        n++;
    if (n > TRANSIENT_LIST_MAX) {
        u->error = -E2BIG;
        return;
    }
    p->list = calloc(n + 1, sizeof(char *));
    if (!p->list)
        u->error = -ENOMEM;
    for (size_t i = 0; i < n && u->error == 0; i++) {
        Address a;

        if (type == PROPERTY_ADDRESSES)
            u->error = address_parse(values[i], &a);
        if (type == PROPERTY_COMMAND && strchr(values[i], '$'))
            u->error = -EINVAL;
        p->list[i] = strdup(values[i]);
        if (!p->list[i])
            u->error = -ENOMEM;
    }
}

const Property *transient_find(const TransientUnit *u, const char *name) {
    for (size_t i = 0; i < u->n; i++)
        if (streq(u->properties[i].name, name))
            return &u->properties[i];
    return NULL;
}

static int append_fields(sd_bus_message *m, char *const *fields) {
    int r = sd_bus_message_open_container(m, 'a', "ay");

    for (; r >= 0 && *fields; fields++)
        r = sd_bus_message_append_array(m, 'y', *fields, strlen(*fields));
    return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ExecStart and not ExecStartEx: systemd 252 writes the latter into the unit's file under that name, which it doesn't know when it reads the file again at
 * a daemon-reload. So '$' would be expanded: transient_list() refuses it. */
static int append_command(sd_bus_message *m, char *const *argv) {
    int r;

    if ((r = sd_bus_message_open_container(m, 'a', "(sasb)")) < 0 ||
        (r = sd_bus_message_open_container(m, 'r', "sasb")) < 0 ||
        (r = sd_bus_message_append(m, "s", argv[0])) < 0 ||
        (r = sd_bus_message_append_strv(m, (char **) argv)) < 0 ||
        (r = sd_bus_message_append(m, "b", false)) < 0 ||
        (r = sd_bus_message_close_container(m)) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

static int append_address(sd_bus_message *m, const char *text) {
    Address a;
    int r;

    if ((r = address_parse(text, &a)) < 0 ||
        (r = sd_bus_message_open_container(m, 'r', "iayu")) < 0 ||
        (r = sd_bus_message_append(m, "i", a.family)) < 0 ||
        (r = sd_bus_message_append_array(m, 'y', a.bytes, a.size)) < 0 ||
        (r = sd_bus_message_append(m, "u", (uint32_t) (8 * a.size))) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

static int append_addresses(sd_bus_message *m, char *const *addresses) {
    int r = sd_bus_message_open_container(m, 'a', "(iayu)");

    for (; r >= 0 && *addresses; addresses++)
        r = append_address(m, *addresses);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_binds(sd_bus_message *m, char *const *folders) {
    int r = sd_bus_message_open_container(m, 'a', "(ssbt)");

    for (; r >= 0 && *folders; folders++)
        r = sd_bus_message_append(m, "(ssbt)", *folders, *folders, false, (uint64_t) MS_REC);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Made anew for each message: a pipe is read once. A text of ours fits any pipe. */
static int append_input(sd_bus_message *m, const char *text) {
    _cleanup_close_ int from = -EBADF, to = -EBADF;
    int fds[2], r;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    from = fds[0];
    to = fds[1];
    r = write_all(to, text, strlen(text));
    return r < 0 ? r : sd_bus_message_append(m, "h", from);
}

static const char *const signatures[] = {
    [PROPERTY_BOOL] = "b",
    [PROPERTY_NUMBER] = "t",
    [PROPERTY_TEXT] = "s",
    [PROPERTY_LIST] = "as",
    [PROPERTY_FIELDS] = "aay",
    [PROPERTY_COMMAND] = "a(sasb)",
    [PROPERTY_ADDRESSES] = "a(iayu)",
    [PROPERTY_BINDS] = "a(ssbt)",
    [PROPERTY_CALENDAR] = "a(ss)",
    [PROPERTY_ACTIVE] = "a(st)",
    [PROPERTY_INPUT] = "h",
    [PROPERTY_FD] = "h",
};

static int append_value(sd_bus_message *m, const Property *p) {
    switch (p->type) {
    case PROPERTY_BOOL: return sd_bus_message_append(m, "b", p->number != 0);
    case PROPERTY_NUMBER: return sd_bus_message_append(m, "t", p->number);
    case PROPERTY_TEXT: return sd_bus_message_append(m, "s", p->text);
    case PROPERTY_LIST: return sd_bus_message_append_strv(m, p->list);
    case PROPERTY_FIELDS: return append_fields(m, p->list);
    case PROPERTY_COMMAND: return append_command(m, p->list);
    case PROPERTY_ADDRESSES: return append_addresses(m, p->list);
    case PROPERTY_BINDS: return append_binds(m, p->list);
    case PROPERTY_CALENDAR: return sd_bus_message_append(m, "a(ss)", 1, "OnCalendar", p->text);
    case PROPERTY_INPUT: return append_input(m, p->text);
    case PROPERTY_FD: return sd_bus_message_append(m, "h", (int) p->number);
    case PROPERTY_ACTIVE: return sd_bus_message_append(m, "a(st)", 1, "OnActiveSec", p->number);
    }
    return -EINVAL;
}

static int append_property(sd_bus_message *m, const Property *p) {
    int r;

    if ((r = sd_bus_message_open_container(m, 'r', "sv")) < 0 ||
        (r = sd_bus_message_append(m, "s", p->name)) < 0 ||
        (r = sd_bus_message_open_container(m, 'v', signatures[p->type])) < 0 ||
        (r = append_value(m, p)) < 0 ||
        (r = sd_bus_message_close_container(m)) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

int transient_append(sd_bus_message *m, const TransientUnit *u) {
    int r;

    if (u->error < 0)
        return u->error;
    r = sd_bus_message_open_container(m, 'a', "(sv)");
    for (size_t i = 0; r >= 0 && i < u->n; i++)
        r = append_property(m, &u->properties[i]);
    return r < 0 ? r : sd_bus_message_close_container(m);
}
