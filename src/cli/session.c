/* The file that keeps a session, written as a whole or not at all.
 *
 * Knows where it is and whom it is for; what a token allows is the service's to say. */
#include "cli/session.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "cli/service.h"
#include "cli/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define SESSION_FILE_MAX 16384

char *session_path(void) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int n = -1;

    if (state && state[0] == '/') /* the specification: relative ones are to be ignored */
        n = asprintf(&path, "%s/tempoftp/session.json", state);
    else if (home && home[0] == '/')
        n = asprintf(&path, "%s/.local/state/tempoftp/session.json", home);
    return n < 0 ? NULL : path;
}

/* Every folder above the file, 0700 when it is made here. */
static int make_folders(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int r = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
        *slash = '/';
        if (r < 0)
            return r;
    }
    return 0;
}

/* -EPERM: others could have read or written it. */
static int load(const char *path, char **ret) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char text[SESSION_FILE_MAX];
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
        return -EPERM;
    ssize_t n = read_at(fd, text, sizeof(text) - 1, 0);
    if (n < 0)
        return (int) n;
    text[n] = '\0';
    *ret = strdup(text);
    wipe(text, sizeof(text));
    return *ret ? 0 : -ENOMEM;
}

void session_use(Client *client) {
    _cleanup_free_ char *path = session_path();
    _cleanup_(wipe_freep) char *text = NULL;

    if (!path)
        return;
    int r = load(path, &text);
    if (r < 0) {
        if (r != -ENOENT)
            complain("No se usa la sesión de %s: %s", path, r == -EPERM ? "otros podrían leerla o cambiarla" : text_errno(-r));
        return;
    }
    json_t *session = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *target = json_text(session, "servicio"), *token = json_text(session, "token");
    if (target && token && streq(target, client_target(client)))
        client_set_token(client, token);
    json_decref(session);
}

static int write_new(const char *path, const char *text) {
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return -errno;
    int r = write_all(fd, text, strlen(text));
    if (r >= 0 && fsync(fd) < 0)
        r = -errno;
    return r;
}

int session_save(const Client *client, const char *email, const char *token) {
    _cleanup_free_ char *path = session_path(), *fresh = NULL;
    _cleanup_(wipe_freep) char *text = body_text(json_pack("{s:s,s:s,s:s}", "servicio", client_target(client), "correo", email, "token", token));

    if (!path)
        return -ENOENT;
    if (!text || asprintf(&fresh, "%s.%d", path, (int) getpid()) < 0)
        return -ENOMEM;
    int r = make_folders(path);
    if (r >= 0) {
        (void) unlink(fresh); /* of one with our number that was killed */
        r = write_new(fresh, text);
    }
    if (r >= 0 && rename(fresh, path) < 0)
        r = -errno;
    if (r < 0)
        (void) unlink(fresh);
    return r;
}

int session_remove(void) {
    _cleanup_free_ char *path = session_path();

    if (!path)
        return 0;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}
