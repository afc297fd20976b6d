/* What is asked of ssh and rsync, word for word.
 *
 * rsync is told the host "source": which machine that is was settled by the ssh connection it goes through. So no host name, user or IPv6 bracket is
 * ever parsed by rsync, and a ':' in the path means nothing. */
#include "transfer/command.h"

#include "basic/strings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define SSH "/usr/bin/ssh"
#define RSYNC "/usr/bin/rsync"
#define CONNECT TEMPOFTP_LIBEXECDIR "/tempoftp-connect"
#define KNOWN_HOSTS "/etc/tempoftp/known_hosts"
#define TEXT(x) TEXT_(x)
#define TEXT_(x) #x

void command_done(Command *c) {
    for (unsigned i = 0; i < c->n_made; i++)
        free(c->made[i]);
    c->n_made = 0;
}

static void add(Command *c, const char *argument) {
    if (c->n == ARGV_MAX)
        c->error = -E2BIG;
    else if (c->error == 0)
        c->argv[c->n++] = argument;
}

static void add_all(Command *c, const char *const *arguments) {
    for (; *arguments; arguments++)
        add(c, *arguments);
}

static void add_made(Command *c, const char *format, ...) _printf_(2, 3);
static void add_made(Command *c, const char *format, ...) {
    va_list args;
    char *text;

    va_start(args, format);
    if (c->n_made == ELEMENTS(c->made))
        c->error = -E2BIG;
    else if (vasprintf(&text, format, args) < 0)
        c->error = -ENOMEM;
    else {
        c->made[c->n_made++] = text;
        add(c, text);
    }
    va_end(args);
}

/* What an operator's ssh_config may not change (the command line wins over files), and what may only be asked for here. */
static const char *const fixed[] = {
    "-o", "BatchMode=yes",
    "-o", "StrictHostKeyChecking=yes",
    "-o", "UserKnownHostsFile=" KNOWN_HOSTS,
    "-o", "GlobalKnownHostsFile=none",
    "-o", "UpdateHostKeys=no",
    "-o", "CheckHostIP=no",
    "-o", "IdentitiesOnly=yes",
    "-o", "IdentityAgent=none",
    "-o", "PreferredAuthentications=publickey",
    "-o", "ForwardAgent=no",
    "-o", "ForwardX11=no",
    "-o", "ClearAllForwardings=yes",
    "-o", "PermitLocalCommand=no",
    "-o", "ProxyUseFdpass=yes",
    "-o", "ProxyCommand=" CONNECT " %h %p",
    "-o", "ControlMaster=yes",
    "-o", "ControlPersist=no",
    "-o", "LogLevel=ERROR",
    NULL,
};

static void add_destination(Command *c, const Options *o) {
    add(c, "-l");
    add(c, o->user);
    add(c, "--");
    add(c, o->host);
}

void command_ssh_configuration(const Options *o, Command *ret) {
    Command c = { 0 };

    add_all(&c, (const char *const[]) { SSH, "-G", "-F", TEMPOFTP_SSH_CONFIG, NULL });
    add_destination(&c, o);
    *ret = c;
}

uint16_t ssh_configuration_port(const char *output) {
    const char *line = output;
    uint64_t port;

    while (line && *line) {
        size_t size = strcspn(line, "\n");
        char number[8];

        if (has_prefix(line, "port ") && size - 5 < sizeof(number)) {
            memcpy(number, line + 5, size - 5);
            number[size - 5] = '\0';
            if (parse_u64(number, UINT16_MAX, &port) >= 0 && port > 0)
                return (uint16_t) port;
        }
        line += size + (line[size] == '\n');
    }
    return 22;
}

void command_ssh_master(const Options *o, const char *address, uint16_t port, const char *key, const char *control, Command *ret) {
    Command c = { 0 };

    add_all(&c, (const char *const[]) { SSH, "-F", TEMPOFTP_SSH_CONFIG, "-M", "-N", "-n", "-T", "-x", "-a", "-S", control, "-i", key, NULL });
    add_all(&c, fixed);
    add(&c, "-o");
    add_made(&c, "HostName=%s", address);
    /* Known hosts go by the name that the person wrote, in the form in which ssh-keyscan writes it. */
    add(&c, "-o");
    if (port == 22)
        add_made(&c, "HostKeyAlias=%s", o->host);
    else
        add_made(&c, "HostKeyAlias=[%s]:%u", o->host, port);
    add_destination(&c, o);
    *ret = c;
}

/* Options of both runs. The remote shell is ssh as a client of our connection: no configuration, no key; and if the connection is gone, a ProxyCommand
 * that fails keeps it from making one of its own. rsync splits -e at spaces itself. */
static void add_rsync(Command *c, const char *control) {
    add_all(c, (const char *const[]) {
        RSYNC,
        "--recursive", "--links", "--safe-links", "--times", "--omit-dir-times", /* the top folder isn't ours: its times can't be set */
        "--no-perms", "--no-owner", "--no-group", "--no-devices", "--no-specials",
        "--chmod=D2750,F0640",
        "--secluded-args",
        "--delete",
        "--partial", "--partial-dir=" PARTIAL_FOLDER,
        "--timeout=" TEXT(NO_PROGRESS_SECONDS),
        "--no-human-readable", "--8-bit-output", "--outbuf=L",
        NULL });
    add(c, "-e");
    add_made(c, SSH " -F none -S %s -o ControlMaster=no -o ProxyCommand=/bin/false -o BatchMode=yes -o LogLevel=ERROR -T -x -a", control);
}

static void add_paths(Command *c, const Options *o) {
    add(c, "--");
    add_made(c, "source:%s", o->path);
    add_made(c, "%s/%s/", o->data, o->staging);
}

void command_rsync_size(const Options *o, const char *control, Command *ret) {
    Command c = { 0 };

    add_rsync(&c, control);
    add_all(&c, (const char *const[]) { "--dry-run", "--stats", NULL });
    add_paths(&c, o);
    *ret = c;
}

void command_rsync_copy(const Options *o, const char *control, Command *ret) {
    Command c = { 0 };

    add_rsync(&c, control);
    add(&c, "--info=progress2");
    add_paths(&c, o);
    *ret = c;
}
