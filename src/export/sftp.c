/* SFTP over one SSH connection. A file's writes go out without waiting for each answer, its size is asked and it is closed in the same breath: a small file
 * costs three round trips with its rename.
 *
 * Written for this because libcurl's SFTP asks for no size and renames over nothing, and its libssh2 1.10 knows no RSA keys that today's servers take. It knows
 * neither order nor tries. */
#include "export/remote.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "export/sftp_packet.h"
#include "export/ssh.h"

#include <errno.h>
#include <stdio.h>

#define PIECE 32768         /* bytes of a file in one packet: what every server takes (draft, 3) */
#define BATCH (4 * PIECE)   /* packets that are handed to ssh at once */
#define IN_FLIGHT_MAX 64    /* writes whose answers are still to come: 2 MiB, a window of OpenSSH's */
#define LITTLE_SPACE 65536  /* a disk with no more than this is full */

typedef struct Sftp {
    Remote remote;
    const Line *line;
    Ssh *ssh; /* NULL: not connected */
    Buffer out;
    Buffer in; /* replies that are not read yet */
    char *base; /* the destination's path without '/' at its end; "/" is "" */
    char host_key[HOST_KEY_SIZE];
    uint32_t id; /* of the last request */
    bool posix_rename, statvfs;
    char piece[PIECE];
} Sftp;

static Sftp *sftp_of(Remote *r) {
    return (Sftp *) r;
}

/* What was under way there is nobody's any more: the next call begins anew. */
static int hang_up(Sftp *s, int r) {
    if (r < 0 && s->ssh) {
        s->ssh = ssh_close(s->ssh);
        buffer_clear(&s->in);
        buffer_clear(&s->out);
    }
    return r;
}

/* ---- replies ---- */

/* 1: one more in *ret; 0: none whole. */
static int next_reply(Sftp *s, SftpReply *ret, ExportFailure *ret_failure) {
    int n = s->in.size > 0 ? sftp_reply_parse(s->in.data, s->in.size, ret) : 0;

    if (n < 0)
        return failed(ret_failure, EXPORT_CONNECTION_LOST, "an answer that is no SFTP");
    if (n == 0)
        return 0;
    memmove(s->in.data, s->in.data + n, s->in.size - (size_t) n);
    s->in.size -= (size_t) n;
    return 1;
}

static int take_bytes(Sftp *s, bool wait, size_t *ret_size, ExportFailure *ret) {
    char bytes[16384];
    int r = wait ? ssh_receive(s->ssh, bytes, sizeof(bytes), ret_size, ret) : ssh_receive_now(s->ssh, bytes, sizeof(bytes), ret_size, ret);

    if (r >= 0)
        buffer_append(&s->in, bytes, *ret_size);
    return r < 0 ? r : s->in.error;
}

/* Of calls that are made one at a time nobody answers before all is sent. */
static int nothing_to_take(void *userdata) {
    return 0;
}

static int send_out(Sftp *s, int (*on_wait)(void *), void *userdata, ExportFailure *ret) {
    int r = s->out.error < 0 ? s->out.error : ssh_send(s->ssh, s->out.data, s->out.size, on_wait, userdata, ret);
    buffer_clear(&s->out);
    return r;
}

/* The request in s->out, whose id is s->id, and its answer. */
static int ask(Sftp *s, SftpReply *ret, ExportFailure *ret_failure) {
    size_t got;
    int r = send_out(s, nothing_to_take, NULL, ret_failure);

    while (r >= 0 && (r = next_reply(s, ret, ret_failure)) == 0)
        r = take_bytes(s, true, &got, ret_failure);
    if (r >= 0 && ret->kind != SFTP_IS_VERSION && ret->id != s->id)
        r = failed(ret_failure, EXPORT_CONNECTION_LOST, "an answer that nobody asked for");
    return hang_up(s, r < 0 ? r : 0);
}

static bool is_fine(const SftpReply *reply) {
    return reply->kind == SFTP_IS_STATUS && reply->status == SFTP_OK;
}

static int refused(const SftpReply *reply, ExportCause cause, ExportFailure *ret) {
    return failed(ret, reply->kind == SFTP_IS_STATUS && reply->status == SFTP_NO_SUCH_FILE ? EXPORT_PATH : cause,
                  reply->kind == SFTP_IS_STATUS ? reply->text : "an answer of another kind");
}

/* ---- connecting ---- */

static int sftp_connect(Remote *r, ExportFailure *ret) {
    Sftp *s = sftp_of(r);
    SftpReply version;
    int error;

    if (s->ssh)
        return 0;
    error = ssh_open(s->line, &s->remote.cleaning, &s->ssh, s->host_key, ret);
    if (error < 0)
        return error;
    sftp_put_init(&s->out);
    error = ask(s, &version, ret);
    if (error < 0)
        return error;
    if (version.kind != SFTP_IS_VERSION || version.version < SFTP_VERSION)
        return hang_up(s, failed(ret, EXPORT_CONNECTION_LOST, "another version of SFTP"));
    s->posix_rename = version.posix_rename;
    s->statvfs = version.statvfs;
    return 0;
}

static int whole_path(const Sftp *s, const char *path, char **ret) {
    const char *slash = *path || !*s->base ? "/" : "";

    if (asprintf(ret, "%s%s%s", s->base, slash, path) < 0) {
        *ret = NULL;
        return -ENOMEM;
    }
    return 0;
}

/* Connected, and the path whole. */
static int begin(Sftp *s, const char *path, char **ret_path, ExportFailure *ret) {
    int r = sftp_connect(&s->remote, ret);
    return r < 0 ? r : whole_path(s, path, ret_path);
}

/* ---- calls ---- */

static int is_folder(Sftp *s, const char *whole, bool *ret_folder, ExportFailure *ret) {
    SftpReply reply;
    int r;

    sftp_put_stat(&s->out, ++s->id, whole);
    r = ask(s, &reply, ret);
    if (r >= 0)
        *ret_folder = reply.kind == SFTP_IS_ATTRIBUTES && reply.is_folder;
    return r;
}

static int make_one(Sftp *s, const char *whole, ExportFailure *ret) {
    SftpReply reply;
    bool there;
    int r;

    sftp_put_mkdir(&s->out, ++s->id, whole);
    r = ask(s, &reply, ret);
    if (r < 0 || is_fine(&reply))
        return r;
    r = is_folder(s, whole, &there, ret);
    return r < 0 || there ? r : failed(ret, EXPORT_PATH, reply.text);
}

/* The destination's path, from its beginning on; what is there on the way may be out of our sight. */
static int make_all(Sftp *s, char *whole, ExportFailure *ret) {
    bool there;
    int r = is_folder(s, whole, &there, ret);

    if (r < 0 || there)
        return r;
    for (char *slash = strchr(whole + 1, '/'); slash && r >= 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        r = make_one(s, whole, ret);
        *slash = '/';
        if (r == -ECONNABORTED && s->ssh)
            r = 0;
    }
    return r < 0 ? r : make_one(s, whole, ret);
}

static int sftp_make_folder(Remote *r, const char *path, ExportFailure *ret) {
    Sftp *s = sftp_of(r);
    _cleanup_free_ char *whole = NULL;
    int error = begin(s, path, &whole, ret);

    if (error < 0)
        return error;
    return *path ? make_one(s, whole, ret) : make_all(s, whole, ret);
}

static int sftp_size(Remote *r, const char *path, uint64_t *ret_size, ExportFailure *ret) {
    Sftp *s = sftp_of(r);
    _cleanup_free_ char *whole = NULL;
    SftpReply reply;
    int error = begin(s, path, &whole, ret);

    if (error < 0)
        return error;
    sftp_put_stat(&s->out, ++s->id, whole);
    error = ask(s, &reply, ret);
    if (error < 0)
        return error;
    if (reply.kind != SFTP_IS_ATTRIBUTES || !reply.has_size || reply.is_folder)
        return -ENOENT;
    *ret_size = reply.size;
    return 0;
}

static int rename_once(Sftp *s, const char *from, const char *to, SftpReply *reply, ExportFailure *ret) {
    sftp_put_rename(&s->out, ++s->id, from, to, s->posix_rename);
    return ask(s, reply, ret);
}

/* Without OpenSSH's extension a server may, or may not, put a file in another's place. */
static int sftp_rename(Remote *r, const char *from, const char *to, ExportFailure *ret) {
    Sftp *s = sftp_of(r);
    _cleanup_free_ char *whole_from = NULL, *whole_to = NULL;
    SftpReply reply;
    uint64_t size;
    int error;

    if ((error = begin(s, from, &whole_from, ret)) < 0 || (error = whole_path(s, to, &whole_to)) < 0)
        return error;
    error = rename_once(s, whole_from, whole_to, &reply, ret);
    if (error >= 0 && !is_fine(&reply)) {
        error = sftp_size(r, from, &size, ret); /* nothing is taken away for a file that is not there */
        if (error < 0)
            return error;
    }
    if (error >= 0 && !is_fine(&reply) && !s->posix_rename) {
        sftp_put_remove(&s->out, ++s->id, whole_to);
        error = ask(s, &reply, ret);
        if (error >= 0)
            error = rename_once(s, whole_from, whole_to, &reply, ret);
    }
    return error < 0 || is_fine(&reply) ? error : refused(&reply, EXPORT_RENAME, ret);
}

static int sftp_remove(Remote *r, const char *path, ExportFailure *ret) {
    Sftp *s = sftp_of(r);
    _cleanup_free_ char *whole = NULL;
    SftpReply reply;
    int error = begin(s, path, &whole, ret);

    if (error < 0)
        return error;
    sftp_put_remove(&s->out, ++s->id, whole);
    error = ask(s, &reply, ret);
    return error < 0 || is_fine(&reply) ? error : refused(&reply, EXPORT_REMOVE, ret);
}

/* ---- a file's bytes ---- */

typedef struct Sending {
    Sftp *sftp;
    Store *store;
    const SftpReply *handle;
    uint64_t at;
    uint32_t first;      /* id of the first request whose answer is taken here */
    unsigned in_flight;
    bool refused, sized; /* the first answer that was no; the size is known */
    SftpReply refusal;
    uint64_t there;
    ExportFailure *failure;
} Sending;

static int take_answer(Sending *g, const SftpReply *reply) {
    if (reply->kind == SFTP_IS_VERSION || reply->id < g->first || reply->id > g->sftp->id || g->in_flight == 0)
        return failed(g->failure, EXPORT_CONNECTION_LOST, "an answer that nobody asked for");
    g->in_flight--;
    if (reply->kind == SFTP_IS_ATTRIBUTES && reply->has_size) {
        g->there = reply->size;
        g->sized = true;
    } else if (!is_fine(reply) && !g->refused) {
        g->refusal = *reply;
        g->refused = true;
    }
    return 0;
}

static int take_answers(Sending *g, bool wait) {
    SftpReply reply;
    size_t got = 0;
    int r = take_bytes(g->sftp, wait, &got, g->failure);

    while (r >= 0 && (r = next_reply(g->sftp, &reply, g->failure)) > 0)
        r = take_answer(g, &reply);
    return r;
}

static int on_wait(void *userdata) {
    return take_answers(userdata, false);
}

static int flush(Sending *g) {
    return send_out(g->sftp, on_wait, g, g->failure);
}

static int put_piece(Sending *g) {
    Sftp *s = g->sftp;
    uint64_t left = g->store->size - g->at;
    ssize_t n;

    if (atomic_load(&s->line->flow->stop) && !s->remote.cleaning)
        return -ECANCELED;
    n = read_at(g->store->fd, s->piece, left < PIECE ? left : PIECE, g->at);
    if (n <= 0)
        return failed(g->failure, EXPORT_SOURCE, n < 0 ? strerror((int) -n) : "it has become shorter");
    sftp_put_write(&s->out, ++s->id, g->handle->handle, g->handle->handle_size, g->at, s->piece, (size_t) n);
    g->in_flight++;
    g->at += (uint64_t) n;
    g->store->moved += (uint64_t) n;
    atomic_fetch_add(&s->line->flow->sent, (uint64_t) n);
    return 0;
}

/* All that is left of the file, its size and its end. */
static int send_file(Sending *g) {
    Sftp *s = g->sftp;
    int r = 0;

    while (r >= 0 && g->at < g->store->size && !g->refused) {
        r = put_piece(g);
        if (r >= 0 && s->out.size >= BATCH) {
            r = flush(g);
            if (r >= 0)
                r = take_answers(g, false);
        }
        while (r >= 0 && g->in_flight >= IN_FLIGHT_MAX)
            if ((r = flush(g)) >= 0 && g->in_flight >= IN_FLIGHT_MAX)
                r = take_answers(g, true);
    }
    if (r < 0)
        return r;
    sftp_put_fstat(&s->out, ++s->id, g->handle->handle, g->handle->handle_size);
    sftp_put_close(&s->out, ++s->id, g->handle->handle, g->handle->handle_size);
    g->in_flight += 2;
    r = flush(g);
    while (r >= 0 && g->in_flight > 0)
        r = take_answers(g, true);
    return r;
}

/* OpenSSH calls a full disk "Failure", like anything else. */
static bool is_full(Sftp *s, const char *whole) {
    ExportFailure unused;
    SftpReply reply;

    if (!s->statvfs)
        return false;
    sftp_put_space(&s->out, ++s->id, whole);
    return ask(s, &reply, &unused) >= 0 && reply.kind == SFTP_IS_SPACE && reply.free < LITTLE_SPACE;
}

static int judge(Sending *g, const char *whole) {
    char detail[96];

    if (g->refused)
        return is_full(g->sftp, whole) ? failed(g->failure, EXPORT_SPACE, NULL) : refused(&g->refusal, EXPORT_WRITE, g->failure);
    if (!g->sized || g->there == g->store->size)
        return 0;
    snprintf(detail, sizeof(detail), "%llu bytes, not %llu", (unsigned long long) g->there, (unsigned long long) g->store->size);
    return failed(g->failure, EXPORT_SIZE, detail);
}

static int sftp_store(Remote *r, Store *store, ExportFailure *ret) {
    Sftp *s = sftp_of(r);
    _cleanup_free_ char *whole = NULL;
    SftpReply handle;
    Sending g = { .sftp = s, .store = store, .handle = &handle, .at = store->offset, .failure = ret };
    int error;

    store->moved = 0;
    error = begin(s, store->path, &whole, ret);
    if (error < 0)
        return error;
    sftp_put_open(&s->out, ++s->id, whole, SFTP_WRITE | (store->offset == 0 ? SFTP_CREATE | SFTP_TRUNCATE : 0));
    error = ask(s, &handle, ret);
    if (error < 0)
        return error;
    if (handle.kind != SFTP_IS_HANDLE) {
        if (is_full(s, *s->base ? s->base : "/"))
            return failed(ret, EXPORT_SPACE, NULL);
        return refused(&handle, EXPORT_WRITE, ret);
    }
    g.first = s->id + 1;
    error = send_file(&g);
    return error < 0 ? hang_up(s, error) : judge(&g, whole);
}

static const char *sftp_host_key(const Remote *r) {
    const Sftp *s = (const Sftp *) r;
    return s->host_key[0] ? s->host_key : NULL;
}

static Remote *sftp_free(Remote *r) {
    Sftp *s = sftp_of(r);

    ssh_close(s->ssh);
    buffer_done(&s->in);
    buffer_done(&s->out);
    free(s->base);
    free(s);
    return NULL;
}

static const RemoteClass class = {
    .connect = sftp_connect,
    .make_folder = sftp_make_folder,
    .size = sftp_size,
    .store = sftp_store,
    .rename = sftp_rename,
    .remove = sftp_remove,
    .host_key = sftp_host_key,
    .free = sftp_free,
    .loose = IN_FLIGHT_MAX * PIECE, /* a server may carry out what is in flight in any order */
};

int sftp_new(const Line *line, Remote **ret) {
    Sftp *s = calloc(1, sizeof(*s));
    size_t size;

    if (!s)
        return -ENOMEM;
    s->base = strdup(line->order->path);
    if (!s->base) {
        free(s);
        return -ENOMEM;
    }
    for (size = strlen(s->base); size > 0 && s->base[size - 1] == '/'; size--)
        s->base[size - 1] = '\0';
    s->remote.class = &class;
    s->line = line;
    s->in.max = 4 * SFTP_REPLY_MAX;
    *ret = &s->remote;
    return 0;
}
