/* What stand-alone mode needs besides a listener: accounts, a folder, sockets of its own, and errors that say what to type.
 *
 * How clients are served is not known here: that is the same as under systemd. */
#include "ftpd/standalone.h"

#include "basic/log.h"
#include "basic/strings.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* ---- accounts ---- */

#define PASSWORDS_SIZE ((size_t) OPTION_USERS_MAX * USER_ARGUMENT_MAX)
#define USER_ARGUMENT_MAX 1024 /* longer ones are wrong; what is cut off is too */

int standalone_hide_users(Standalone *s, Options *o) {
    int r = 0;

    if (o->n_users == 0)
        return 0;
    char *to = mmap(NULL, PASSWORDS_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (to == MAP_FAILED || madvise(to, PASSWORDS_SIZE, MADV_DONTFORK) < 0)
        r = -errno;
    for (size_t i = 0; i < o->n_users; i++) {
        char *argument = o->users[i];
        if (r >= 0) {
            o->users[i] = to + i * USER_ARGUMENT_MAX;
            snprintf(o->users[i], USER_ARGUMENT_MAX, "%s", argument);
        }
        wipe(argument, strlen(argument));
    }
    if (to != MAP_FAILED)
        s->passwords = to;
    return r < 0 ? log_errno(r, "Cannot hide the passwords of --user") : 0;
}

static void forget_passwords(Standalone *s) {
    if (!s->passwords)
        return;
    wipe(s->passwords, PASSWORDS_SIZE);
    munmap(s->passwords, PASSWORDS_SIZE);
    s->passwords = NULL;
}

static int add_user(AuthUsers *users, char *text, size_t number, bool writes) {
    int r = auth_users_add(users, text, writes);
    if (r == -EINVAL)
        log_error("--user number %zu: expected NAME:PASSWORD; the name in printable ASCII without blanks, at most 64 characters", number);
    else if (r == -EEXIST)
        log_error("--user number %zu: this name was given before", number);
    else if (r < 0)
        log_errno(r, "--user number %zu", number);
    return r;
}

int standalone_take_users(Standalone *s, const Options *o) {
    int r = auth_users_new(&s->users);
    for (size_t i = 0; r >= 0 && i < o->n_users; i++)
        r = add_user(s->users, o->users[i], i + 1, o->write);
    forget_passwords(s);
    if (r < 0)
        return r;
    if (o->n_users > 0)
        log_warning("--user is for trials: until a moment ago any user of this machine could see the passwords. --users-file keeps hashes only");
    else if (o->users_file && o->write)
        log_warning("--write is about --user, and there is none: in the users file each line says 'rw' or 'ro'");
    else if (!o->users_file) {
        log_error("There is no account and no built-in password. Type for example:  %s --user user:12345", program_invocation_name);
        return -EINVAL;
    }
    return 0;
}

/* ---- the folder ---- */

typedef struct Hint {
    int error; /* negative errno */
    const char *text;
} Hint;

static const char *hint_for(const Hint *hints, size_t n, int error) {
    for (size_t i = 0; i < n; i++)
        if (hints[i].error == error)
            return hints[i].text;
    return strerror(-error);
}

static int open_root(Standalone *s, const Options *o) {
    static const Hint hints[] = {
        { -ENOENT, "there is no such folder: mkdir it, or name another with --root" },
        { -ENOTDIR, "that is no folder: name another with --root" },
        { -EACCES, "this user may not read and enter it: chmod it, or start the server as its owner" },
        { -EROFS, "it is on a read-only file system: leave --write away" },
    };
    const char *root = o->root ? o->root : STANDALONE_ROOT;
    struct stat st;
    int r = 0;

    if (!o->root && mkdir(root, 0755) < 0 && errno != EEXIST)
        return log_errno(-errno, "Cannot make ./%s; --root names another folder", root);
    s->root = realpath(root, NULL);
    if (!s->root || stat(s->root, &st) < 0)
        r = -errno;
    else if (!S_ISDIR(st.st_mode))
        r = -ENOTDIR;
    else if (access(s->root, R_OK | X_OK) < 0)
        r = -errno;
    if (r < 0)
        log_error("Cannot serve %s: %s", root, hint_for(hints, ELEMENTS(hints), r));
    else if (o->write && access(s->root, W_OK) < 0) {
        r = -errno;
        log_error("Cannot write in %s, but --write was given: %s", s->root,
                  r == -EACCES ? "chmod it, or start the server as its owner" : hint_for(hints, ELEMENTS(hints), r));
    }
    return r < 0 ? r : auth_users_set_root(s->users, s->root);
}

/* Clients must not be able to fetch (or replace) what decides who they are, and who we are. path may be NULL. */
static int refuse_if_served(const Standalone *s, const char *path, const char *option) {
    _cleanup_free_ char *real = path ? realpath(path, NULL) : NULL;
    size_t n = strlen(s->root);

    if (real && strncmp(real, s->root, n) == 0 && (real[n] == '/' || n == 1)) {
        log_error("%s %s lies in the folder that is served, where clients could read it: put it elsewhere", option, path);
        return -EINVAL;
    }
    return 0;
}

/* ---- the sockets ---- */

static int listen_at(Listener *l, const char *address) {
    static const Hint hints[] = {
        { -EADDRINUSE, "another program has that port; choose another one, for example --listen 127.0.0.1:2122" },
        { -EACCES, "ports below 1024 are not for ordinary users; choose another one, or let systemd open it (tempoftp-ftp.socket)" },
        { -EADDRNOTAVAIL, "this machine has no such address; 0.0.0.0:PORT and [::]:PORT stand for all it has" },
        { -EINVAL, "expected ADDRESS:PORT with a literal address, as in 127.0.0.1:2121 or [::1]:2121" },
        { -E2BIG, "too many addresses" },
    };

    int fd = address[0] == '/' ? -EINVAL : listen_on(address);
    int r = fd < 0 ? fd : listener_add_socket(l, fd);
    if (r < 0)
        log_error("Cannot listen on %s: %s", address, hint_for(hints, ELEMENTS(hints), r));
    else
        log_notice("Listening on %s", address);
    return r;
}

static int listen_on_all(Listener *l, const Options *o) {
    int r = o->n_listen > 0 ? 0 : listen_at(l, STANDALONE_ADDRESS);

    for (size_t i = 0; r >= 0 && i < o->n_listen; i++)
        r = listen_at(l, o->listen[i]);
    return r;
}

/* ---- SIGHUP ---- */

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
    Standalone *s = userdata;
    size_t writing;

    if (info->ssi_code == SI_KERNEL || !s->users_file) { /* the terminal was closed, or there is nothing to read again */
        listener_stop(s->listener);
        return 0;
    }
    if (auth_users_load(s->users, s->users_file) < 0)
        log_warning("The accounts stay as they were");
    else
        log_notice("Read %s again: %zu accounts", s->users_file, auth_users_count(s->users, &writing));
    return 0;
}

static int heed_hangup(Standalone *s) {
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
        return -errno;
    return sd_event_add_signal(s->listener->event, NULL, SIGHUP, on_hangup, s);
}

int standalone_open(Standalone *s, Listener *l, const Options *o, const char *tls_key) {
    size_t writing = 0;

    s->listener = l;
    l->auth = auth_users_source(s->users);
    s->users_file = o->users_file;
    int r = open_root(s, o);
    if (r >= 0)
        r = refuse_if_served(s, o->users_file, "--users-file");
    if (r >= 0)
        r = refuse_if_served(s, tls_key, o->tls_key ? "--tls-key" : "TEMPOFTP_FTP_TLS_KEY");
    if (r >= 0 && o->users_file)
        r = auth_users_load(s->users, o->users_file);
    if (r >= 0)
        r = heed_hangup(s);
    if (r >= 0)
        r = listen_on_all(l, o);
    if (r < 0)
        return r;
    size_t n = auth_users_count(s->users, &writing);
    log_notice("Serving %s: %zu account%s, %s. Ctrl-C ends it", s->root, n, n == 1 ? "" : "s",
               writing == 0 ? "read-only" : writing == n ? "read-write" : "some read-write");
    return 0;
}

void standalone_done(Standalone *s) {
    forget_passwords(s);
    if (s->users && !s->listener)
        auth_source_free(auth_users_source(s->users));
    free(s->root);
    *s = (Standalone) { 0 };
}
