/* Starts ssh as the master of a control socket and waits until it has logged in: it makes the socket then, and not before.
 *
 * Knows nothing of rsync. The only children that see the ssh key are started here. */
#include "transfer/connection.h"

#include "basic/fds.h"
#include "basic/log.h"
#include "transfer/command.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define CONFIGURATION_MAX 65536

static bool take_line(const char *line, size_t size, void *userdata) {
    Buffer *b = userdata;
    buffer_append(b, line, size);
    buffer_putc(b, '\n');
    return true;
}

/* The operator's ssh_config may give the source another port. */
static int find_port(const Options *o, uint16_t *ret, Failure *ret_failure) {
    _cleanup_command_ Command c = { 0 };
    _cleanup_child_ Child child = CHILD_NONE;
    _cleanup_buffer_ Buffer text = { .max = CONFIGURATION_MAX };
    int r;

    command_ssh_configuration(o, &c);
    if (c.error < 0)
        return c.error;
    r = child_start(c.argv, &(Jail) { 0 }, &child);
    if (r >= 0)
        r = child_wait(&child, take_line, &text);
    if (r < 0)
        return r;
    if (child.term_signal != 0) {
        ret_failure->cause = cause_from_output(child.said.data, child.exit_status, child.term_signal);
        snprintf(ret_failure->detail, sizeof(ret_failure->detail), "ssh -G: signal %d", child.term_signal);
        return -ECONNABORTED;
    }
    if (child.exit_status != 0) {
        char detail[DETAIL_SIZE];
        child_detail(child.said.data, detail, sizeof(detail));
        log_error("Cannot read the ssh configuration for %s: %s", o->host, detail);
        return -EBADMSG;
    }
    *ret = ssh_configuration_port(text.data);
    return text.error;
}

static bool is_there(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Until the control socket is there, or ssh has ended. */
static int wait_for_login(Connection *c, int watch) {
    int r = 0;

    while (!is_there(c->control) && !c->master.ended) {
        struct pollfd fds[] = { { watch, POLLIN, 0 }, { c->master.err, POLLIN, 0 }, { c->master.pidfd, POLLIN, 0 } };
        char events[1024];

        if (poll(fds, ELEMENTS(fds), -1) < 0 && errno != EINTR)
            return -errno;
        while (read(watch, events, sizeof(events)) > 0)
            ;
        r = child_look(&c->master);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Of ssh's long warning, the line that says what has happened to whom. */
static const char *plain_words(const char *said) {
    const char *line = said ? strstr(said, "Host key for ") : NULL;
    return line ? line : said;
}

static int try_address(const Options *o, const char *address, uint16_t port, const char *key, Connection *c, Failure *ret_failure) {
    _cleanup_command_ Command command = { 0 };
    _cleanup_close_ int watch = -EBADF;
    int r;

    watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch < 0 || inotify_add_watch(watch, c->folder, IN_CREATE | IN_MOVED_TO) < 0)
        return -errno;
    command_ssh_master(o, address, port, key, c->control, &command);
    if (command.error < 0)
        return command.error;
    r = child_start(command.argv, &(Jail) { .credentials = key, .private_tmp = c->folder }, &c->master);
    if (r >= 0)
        r = wait_for_login(c, watch);
    if (r < 0 || !c->master.ended)
        return r;
    ret_failure->cause = cause_from_output(c->master.said.data, c->master.exit_status, c->master.term_signal);
    child_detail(plain_words(c->master.said.data), ret_failure->detail, sizeof(ret_failure->detail));
    child_done(&c->master);
    return -ECONNABORTED;
}

int connection_open(const Options *o, const char *key, Connection *ret, Failure *ret_failure) {
    _cleanup_connection_ Connection c = CONNECTION_NONE;
    uint16_t port = 22;
    int r;

    snprintf(c.folder, sizeof(c.folder), "/tmp/tempoftp-XXXXXX");
    if (!mkdtemp(c.folder)) {
        r = -errno;
        c.folder[0] = '\0';
        return r;
    }
    snprintf(c.control, sizeof(c.control), "%.100s/ssh", c.folder);
    r = find_port(o, &port, ret_failure);
    if (r < 0)
        return r;

    r = -EINVAL;
    for (const char *const *address = o->addresses; *address; address++) {
        r = try_address(o, *address, port, key, &c, ret_failure);
        if (r != -ECONNABORTED || ret_failure->cause != CAUSE_UNREACHABLE)
            break;
        log_debug("%s: %s", *address, ret_failure->detail);
    }
    if (r < 0)
        return r;
    *ret = c;
    c = CONNECTION_NONE;
    return 0;
}

void connection_close(Connection *c) {
    child_done(&c->master);
    if (c->folder[0]) {
        (void) unlink(c->control);
        (void) rmdir(c->folder);
    }
    *c = CONNECTION_NONE;
}
