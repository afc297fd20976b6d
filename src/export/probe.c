/* Does at a destination what an upload would do, with a file of a few bytes, and says which step failed. */
#include "export/probe.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>

#define WORDS "tempoftp: prueba\n"

/* Nobody has a file of that name. */
static int make_name(char *ret, size_t size) {
    uint8_t bytes[8];
    char hex[2 * sizeof(bytes) + 1];

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return -errno;
    hex_encode(bytes, sizeof(bytes), hex);
    snprintf(ret, size, "tempoftp-%s.part", hex);
    return 0;
}

static int write_and_remove(Remote *r, int fd, const char *name, ExportFailure *failure) {
    Store store = { .path = name, .fd = fd, .size = sizeof(WORDS) - 1 };
    int error;

    if ((error = r->class->make_folder(r, "", failure)) < 0)
        return error;
    error = r->class->store(r, &store, failure);
    if (error < 0 && (error != -ECONNABORTED || failure->cause == EXPORT_CONNECTION_LOST || failure->cause == EXPORT_STALLED))
        return error;
    ExportFailure removal;
    int removed = r->class->remove(r, name, error < 0 ? &removal : failure);
    return error < 0 ? error : removed;
}

void probe_run(const Line *line, ProbeResult *ret) {
    _cleanup_(remote_freep) Remote *r = NULL;
    _cleanup_close_ int fd = memfd_create("words", MFD_CLOEXEC);
    ExportFailure failure = { .cause = EXPORT_INTERNAL };
    char name[40];
    int error;

    *ret = (ProbeResult) { .ok = false, .cause = EXPORT_INTERNAL };
    if (fd < 0 || write(fd, WORDS, sizeof(WORDS) - 1) != sizeof(WORDS) - 1)
        return;
    if ((error = make_name(name, sizeof(name))) >= 0 && (error = remote_new(line, &r)) >= 0 && (error = r->class->connect(r, &failure)) >= 0)
        error = write_and_remove(r, fd, name, &failure);
    ret->ok = error >= 0;
    ret->cause = error == -ECANCELED ? EXPORT_TIMEOUT : failure.cause;
    if (error == -ECONNABORTED)
        snprintf(ret->detail, sizeof(ret->detail), "%s", failure.detail);
    if (r && r->class->host_key(r))
        snprintf(ret->host_key, sizeof(ret->host_key), "%s", r->class->host_key(r));
}
