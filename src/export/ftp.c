/* FTP, and FTPS by AUTH TLS, through libcurl. One connection, kept from call to call; paths are given whole, so that no folder is ever entered.
 *
 * It knows neither order nor tries. Source: libcurl's easy interface (curl_easy_setopt(3)); RFC 959, RFC 3659 (SIZE), RFC 4217 (TLS). */
#include "export/remote.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "export/ftp.h"
#include "export/ftp_error.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#define UPLOAD_BUFFER (64 * 1024L) /* libcurl is half as fast with 512 KiB, which no cache of the processor holds */
#define KEEPALIVE_SECONDS 60L
#define LAST_WORDS_MS 500
#define IDLE_MAX 20 /* turns without a socket that are not waited between; then a millisecond each */
#define END_MS 5000
#define LOOK_MS 200 /* how often Flow.stop is looked at */

typedef struct Ftp {
    Remote remote;
    const Line *line;
    CURL *curl;
    CURLM *loop; /* has the connection */
    struct curl_slist *addresses;
    char *root; /* URL of "/" */
    char *base; /* the destination's path, from the root; no '/' at its end. NULL before the login */
    FtpReply reply;
    char error[CURL_ERROR_SIZE];
    bool refused; /* an address that may not be */
    int control;  /* libcurl's socket of the control connection */
    Store *store; /* under way */
    uint64_t at;  /* next byte of it to read */
    int bad;      /* what reading it gave, negative */
} Ftp;

static Ftp *ftp_of(Remote *r) {
    return (Ftp *) r;
}

static bool is_stopped(const Ftp *f) {
    return atomic_load(&f->line->flow->stop) && !f->remote.cleaning;
}

/* ---- libcurl asks ---- */

static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address) {
    Ftp *f = userdata;
    int fd;

    if (!line_allows(f->line, &address->addr)) {
        f->refused = true;
        return CURL_SOCKET_BAD;
    }
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (f->control < 0) /* the other one is a data connection's */
        f->control = fd;
    return fd;
}

/* A server whose disk is full resets the data connection and says why on the control connection, which libcurl closes without having read it. */
static void hear_last_words(Ftp *f) {
    struct pollfd words = { f->control, POLLIN, 0 };
    char text[1024], *rest = text, *line;
    ssize_t n;

    if (!f->store || f->line->order->type != DESTINATION_FTP || poll(&words, 1, LAST_WORDS_MS) <= 0)
        return;
    n = recv(f->control, text, sizeof(text) - 1, MSG_DONTWAIT);
    if (n <= 0)
        return;
    text[n] = '\0';
    while ((line = strsep(&rest, "\n")))
        ftp_reply_take(&f->reply, line, strlen(line));
}

/* A server of TLS 1.3 sends tickets when the handshake is over. Closing a socket on which they lie unread, or still come, resets the connection, and the end of
 * a small file is lost with it. So the server ends first. */
static void let_it_end(const Ftp *f, int fd) {
    uint64_t until = monotonic_ms() + END_MS;
    char rest[4096];
    ssize_t n = 1;

    if (f->line->order->type != DESTINATION_FTPS || shutdown(fd, SHUT_WR) < 0)
        return;
    while (n > 0 && monotonic_ms() < until && !is_stopped(f)) {
        struct pollfd end = { fd, POLLIN, 0 };
        if (poll(&end, 1, LOOK_MS) > 0)
            n = recv(fd, rest, sizeof(rest), MSG_DONTWAIT);
    }
}

static int on_close_socket(void *userdata, curl_socket_t fd) {
    Ftp *f = userdata;

    if (fd == f->control) {
        hear_last_words(f);
        f->control = -EBADF;
    } else
        let_it_end(f, fd);
    return close(fd);
}

static size_t on_reply(char *line, size_t size, size_t n, void *userdata) {
    Ftp *f = userdata;
    ftp_reply_take(&f->reply, line, size * n);
    return size * n;
}

static size_t on_read(char *to, size_t size, size_t n, void *userdata) {
    Ftp *f = userdata;
    Store *s = f->store;
    uint64_t left = s->size - f->at;
    ssize_t got;

    if (is_stopped(f))
        return CURL_READFUNC_ABORT;
    got = read_at(s->fd, to, left < size * n ? left : size * n, f->at);
    if (got < 0 || (got == 0 && left > 0)) { /* it has become shorter */
        f->bad = got < 0 ? (int) got : -ESTALE;
        return CURL_READFUNC_ABORT;
    }
    f->at += (uint64_t) got;
    s->moved += (uint64_t) got;
    atomic_fetch_add(&f->line->flow->sent, (uint64_t) got);
    return (size_t) got;
}

static int on_progress(void *userdata, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up) {
    Ftp *f = userdata;
    return is_stopped(f) ? 1 : 0;
}

/* Nothing is downloaded. */
static size_t on_data(char *data, size_t size, size_t n, void *userdata) {
    return size * n;
}

/* ---- what went wrong ---- */

static bool has_connected(const Ftp *f) {
    double seconds = 0;
    return curl_easy_getinfo(f->curl, CURLINFO_PRETRANSFER_TIME, &seconds) == CURLE_OK && seconds > 0;
}

static int judge(Ftp *f, CURLcode code, ExportFailure *ret) {
    if (code == CURLE_OK)
        return 0;
    if (code == CURLE_OUT_OF_MEMORY)
        return -ENOMEM;
    if (f->bad < 0)
        return failed(ret, EXPORT_SOURCE, strerror(-f->bad));
    if (is_stopped(f))
        return -ECANCELED;
    if (f->refused)
        return failed(ret, EXPORT_ADDRESS, NULL);
    return ftp_error_judge(code, &f->reply, f->error[0] ? f->error : curl_easy_strerror(code), has_connected(f), ret);
}

/* curl_easy_perform(3), but for one thing: while libcurl 7.88 goes from the answer to EPSV to the data connection it watches no socket, and would sleep for a
 * second each time. */
static CURLcode transfer(Ftp *f) {
    CURLcode code = CURLE_FAILED_INIT;
    CURLMsg *message;
    int running = 1, idle = 0, n;

    if (curl_multi_add_handle(f->loop, f->curl) != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    while (curl_multi_perform(f->loop, &running) == CURLM_OK && running > 0) {
        fd_set in, out, other;
        int highest = -1;

        FD_ZERO(&in);
        FD_ZERO(&out);
        FD_ZERO(&other);
        if (curl_multi_fdset(f->loop, &in, &out, &other, &highest) != CURLM_OK || curl_multi_poll(f->loop, NULL, 0, highest >= 0 ? LOOK_MS : ++idle > IDLE_MAX, NULL) != CURLM_OK)
            break;
    }
    while ((message = curl_multi_info_read(f->loop, &n)))
        if (message->msg == CURLMSG_DONE)
            code = message->data.result;
    curl_multi_remove_handle(f->loop, f->curl);
    return code;
}

static int perform(Ftp *f, ExportFailure *ret) {
    f->reply = (FtpReply) { 0 };
    f->error[0] = '\0';
    f->refused = false;
    f->bad = 0;
    if (is_stopped(f))
        return -ECANCELED;
    return judge(f, transfer(f), ret);
}

/* ---- set-up ---- */

static bool is_plain(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~/", c);
}

/* "ftp://host:port/" and a path from the root, whose bytes libcurl gives to the server as they are. */
static char *url_of(const Ftp *f, const char *path) {
    Buffer b = { 0 };
    char *url;

    buffer_puts(&b, f->root);
    for (; *path; path++)
        if (is_plain((unsigned char) *path))
            buffer_putc(&b, *path);
        else
            buffer_printf(&b, "%%%02X", (unsigned char) *path);
    url = buffer_take(&b);
    buffer_done(&b);
    return url;
}

/* The whole path of a file; heap. -ECONNABORTED: a name that would be two lines. */
static int whole_path(const Ftp *f, const char *path, char **ret, ExportFailure *ret_failure) {
    if (strpbrk(path, "\r\n"))
        return failed(ret_failure, EXPORT_NAME, path);
    if (asprintf(ret, "%s%s%s", f->base, *path ? "/" : "", path) < 0) {
        *ret = NULL;
        return -ENOMEM;
    }
    return 0;
}

/* The addresses that tempoftpd found are the only ones: nobody is asked again. */
static int pin_addresses(Ftp *f) {
    const ExportOrder *o = f->line->order;
    _cleanup_buffer_ Buffer b = { 0 };

    buffer_printf(&b, "%s:%u:", o->host, (unsigned) o->port);
    for (size_t i = 0; o->addresses[i]; i++)
        buffer_printf(&b, strchr(o->addresses[i], ':') ? "%s[%s]" : "%s%s", i > 0 ? "," : "", o->addresses[i]);
    if (b.error < 0)
        return b.error;
    f->addresses = curl_slist_append(NULL, b.data);
    return f->addresses ? 0 : -ENOMEM;
}

typedef struct Option {
    CURLoption name;
    long value;
} Option;

static int set_options(Ftp *f) {
    const ExportOrder *o = f->line->order;
    const Option numbers[] = {
        { CURLOPT_NOSIGNAL, 1 },
        { CURLOPT_FTP_FILEMETHOD, CURLFTPMETHOD_NOCWD },
        { CURLOPT_FTP_SKIP_PASV_IP, 1 },
        { CURLOPT_CONNECTTIMEOUT, (long) f->line->connect_seconds },
        { CURLOPT_SERVER_RESPONSE_TIMEOUT, (long) f->line->answer_seconds },
        { CURLOPT_LOW_SPEED_LIMIT, 1 },
        { CURLOPT_LOW_SPEED_TIME, STALL_SECONDS },
        { CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER },
        { CURLOPT_TCP_KEEPALIVE, 1 },
        { CURLOPT_TCP_KEEPIDLE, KEEPALIVE_SECONDS },
        { CURLOPT_TCP_KEEPINTVL, KEEPALIVE_SECONDS },
        { CURLOPT_MAXCONNECTS, 1 },
        { CURLOPT_NOPROGRESS, 0 },
        { CURLOPT_USE_SSL, o->type == DESTINATION_FTPS ? CURLUSESSL_ALL : CURLUSESSL_NONE },
        { CURLOPT_FTPSSLAUTH, CURLFTPAUTH_TLS },
        { CURLOPT_SSL_VERIFYPEER, 1 },
        { CURLOPT_SSL_VERIFYHOST, 2 },
        { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
    };
    CURLcode code = CURLE_OK;

    for (size_t i = 0; code == CURLE_OK && i < ELEMENTS(numbers); i++)
        code = curl_easy_setopt(f->curl, numbers[i].name, numbers[i].value);
    if (code != CURLE_OK || (code = curl_easy_setopt(f->curl, CURLOPT_ERRORBUFFER, f->error)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_PROTOCOLS_STR, "ftp")) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_PROXY, "")) != CURLE_OK || /* whatever the environment says */
        (code = curl_easy_setopt(f->curl, CURLOPT_RESOLVE, f->addresses)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_USERNAME, o->username)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_PASSWORD, o->password ? o->password : "")) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_OPENSOCKETFUNCTION, on_open_socket)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_OPENSOCKETDATA, f)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_CLOSESOCKETDATA, f)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_HEADERFUNCTION, on_reply)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_HEADERDATA, f)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_READFUNCTION, on_read)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_READDATA, f)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, on_data)) != CURLE_OK ||
        (code = curl_easy_setopt(f->curl, CURLOPT_XFERINFOFUNCTION, on_progress)) != CURLE_OK)
        return -ENOMEM;
    return curl_easy_setopt(f->curl, CURLOPT_XFERINFODATA, f) == CURLE_OK ? 0 : -ENOMEM;
}

/* ---- calls ---- */

/* Commands on the control connection, ended by NULL; each has to succeed. */
static int commands(Ftp *f, const char *const *texts, ExportFailure *ret) {
    struct curl_slist *list = NULL;
    int r = 0;

    for (; r >= 0 && *texts; texts++) {
        struct curl_slist *longer = curl_slist_append(list, *texts);
        if (longer)
            list = longer;
        else
            r = -ENOMEM;
    }
    if (r >= 0 && (curl_easy_setopt(f->curl, CURLOPT_UPLOAD, 0L) != CURLE_OK || curl_easy_setopt(f->curl, CURLOPT_NOBODY, 1L) != CURLE_OK ||
                   curl_easy_setopt(f->curl, CURLOPT_URL, f->root) != CURLE_OK || curl_easy_setopt(f->curl, CURLOPT_POSTQUOTE, NULL) != CURLE_OK ||
                   curl_easy_setopt(f->curl, CURLOPT_QUOTE, list) != CURLE_OK))
        r = -ENOMEM;
    if (r >= 0)
        r = perform(f, ret);
    curl_easy_setopt(f->curl, CURLOPT_QUOTE, NULL);
    curl_slist_free_all(list);
    return r;
}

/* Heap; NULL: no memory. */
static char *line_of(const char *verb, const char *path) {
    char *line;
    return asprintf(&line, "%s %s", verb, path) < 0 ? NULL : line;
}

/* One command about one path. */
static int command(Ftp *f, const char *verb, const char *path, ExportFailure *ret) {
    _cleanup_free_ char *line = line_of(verb, path);
    return line ? commands(f, (const char *const[]) { line, NULL }, ret) : -ENOMEM;
}

/* Where the login leads to is where a path that does not begin with '/' begins. */
static int find_base(Ftp *f, ExportFailure *ret) {
    const char *path = f->line->order->path, *entry = NULL;
    size_t size;

    if (path[0] != '/' && (curl_easy_getinfo(f->curl, CURLINFO_FTP_ENTRY_PATH, &entry) != CURLE_OK || !entry || entry[0] != '/'))
        return failed(ret, EXPORT_PATH, "the server does not say where it is (PWD): the path has to begin with '/'");
    free(f->base);
    if (asprintf(&f->base, "%s%s%s", entry ? entry : "", entry && !has_suffix(entry, "/") ? "/" : "", path) < 0) {
        f->base = NULL;
        return -ENOMEM;
    }
    for (size = strlen(f->base); size > 0 && f->base[size - 1] == '/'; size--)
        f->base[size - 1] = '\0';
    return 0;
}

static int ftp_connect(Remote *r, ExportFailure *ret) {
    Ftp *f = ftp_of(r);
    int error = commands(f, (const char *const[]) { "TYPE I", NULL }, ret);

    return error < 0 || f->base ? error : find_base(f, ret);
}

/* Each folder on the way to `path`, the root's first. */
static int make_all(Ftp *f, char *path, ExportFailure *ret) {
    for (char *slash = path; slash; *slash = '/') {
        int r;

        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        r = command(f, "*MKD", path, ret);
        if (!slash || r < 0)
            return r;
    }
    return 0;
}

static int ftp_make_folder(Remote *r, const char *path, ExportFailure *ret) {
    Ftp *f = ftp_of(r);
    _cleanup_free_ char *whole = NULL;
    FtpReply refusal;
    int error = whole_path(f, path, &whole, ret);

    if (error < 0 || !*whole) /* the root is there */
        return error;
    error = *path ? command(f, "*MKD", whole, ret) : make_all(f, whole, ret);
    if (error < 0 || (f->reply.code >= 200 && f->reply.code < 300))
        return error;
    refusal = f->reply; /* mostly because it is there */
    error = command(f, "CWD", whole, ret);
    if (error == -ECONNABORTED && f->reply.code >= 500)
        return failed(ret, ftp_reply_cause(&refusal, EXPORT_PATH), refusal.text);
    return error;
}

static int ftp_size(Remote *r, const char *path, uint64_t *ret_size, ExportFailure *ret) {
    Ftp *f = ftp_of(r);
    _cleanup_free_ char *whole = NULL, *size = NULL;
    int error = whole_path(f, path, &whole, ret);

    if (error < 0)
        return error;
    size = line_of("*SIZE", whole);
    if (!size)
        return -ENOMEM;
    error = commands(f, (const char *const[]) { "TYPE I", size, NULL }, ret); /* in ASCII many don't say it */
    return error < 0 ? error : ftp_reply_size(&f->reply, ret_size);
}

static int set_store(Ftp *f, const char *url, struct curl_slist *afterwards) {
    const Store *s = f->store;

    return curl_easy_setopt(f->curl, CURLOPT_NOBODY, 0L) == CURLE_OK && curl_easy_setopt(f->curl, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
                   curl_easy_setopt(f->curl, CURLOPT_URL, url) == CURLE_OK && curl_easy_setopt(f->curl, CURLOPT_POSTQUOTE, afterwards) == CURLE_OK &&
                   curl_easy_setopt(f->curl, CURLOPT_APPEND, s->offset > 0 ? 1L : 0L) == CURLE_OK &&
                   curl_easy_setopt(f->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) (s->size - s->offset)) == CURLE_OK
               ? 0
               : -ENOMEM;
}

/* A server that does not know SIZE said with its 226 that it has all that we sent. */
static int check_size(const Ftp *f, uint64_t wanted, ExportFailure *ret) {
    uint64_t there;
    char detail[96];

    if (f->reply.code == 500 || f->reply.code == 502)
        return 0;
    if (ftp_reply_size(&f->reply, &there) < 0)
        return failed(ret, EXPORT_SIZE, f->reply.text);
    if (there == wanted)
        return 0;
    snprintf(detail, sizeof(detail), "%llu bytes, not %llu", (unsigned long long) there, (unsigned long long) wanted);
    return failed(ret, EXPORT_SIZE, detail);
}

static int ftp_store(Remote *r, Store *s, ExportFailure *ret) {
    Ftp *f = ftp_of(r);
    _cleanup_free_ char *whole = NULL, *url = NULL, *size = NULL;
    struct curl_slist *afterwards;
    int error;

    s->moved = 0;
    error = whole_path(f, s->path, &whole, ret);
    if (error < 0)
        return error;
    url = url_of(f, whole);
    size = line_of("*SIZE", whole);
    if (!url || !size)
        return -ENOMEM;
    afterwards = curl_slist_append(NULL, size);
    f->store = s;
    f->at = s->offset;
    error = afterwards ? set_store(f, url, afterwards) : -ENOMEM;
    if (error >= 0)
        error = perform(f, ret);
    if (error >= 0)
        error = check_size(f, s->size, ret);
    f->store = NULL;
    curl_easy_setopt(f->curl, CURLOPT_POSTQUOTE, NULL);
    curl_slist_free_all(afterwards);
    return error;
}

/* RNTO over a file that is there is refused by some servers. It is taken away for one that is there to take its place only: RNFR may have been what was refused,
 * because the answer to an earlier RNTO was lost, or because somebody tidied up. */
static int ftp_rename(Remote *r, const char *from, const char *to, ExportFailure *ret) {
    Ftp *f = ftp_of(r);
    _cleanup_free_ char *whole_from = NULL, *whole_to = NULL, *first = NULL, *second = NULL, *away = NULL;
    int error;

    if ((error = whole_path(f, from, &whole_from, ret)) < 0 || (error = whole_path(f, to, &whole_to, ret)) < 0)
        return error;
    if (!(first = line_of("RNFR", whole_from)) || !(second = line_of("RNTO", whole_to)) || !(away = line_of("*DELE", whole_to)))
        return -ENOMEM;
    error = commands(f, (const char *const[]) { first, second, NULL }, ret);
    if (error == -ECONNABORTED && f->reply.code >= 500) {
        error = commands(f, (const char *const[]) { first, NULL }, ret);
        if (error == -ECONNABORTED && f->reply.code >= 500)
            return -ENOENT;
        if (error >= 0)
            error = commands(f, (const char *const[]) { away, first, second, NULL }, ret);
    }
    if (error == -ECONNABORTED && f->reply.code >= 500)
        ret->cause = ftp_reply_cause(&f->reply, EXPORT_RENAME);
    return error;
}

static int ftp_remove(Remote *r, const char *path, ExportFailure *ret) {
    Ftp *f = ftp_of(r);
    _cleanup_free_ char *whole = NULL;
    int error = whole_path(f, path, &whole, ret);

    if (error >= 0)
        error = command(f, "DELE", whole, ret);
    if (error == -ECONNABORTED && f->reply.code >= 500)
        ret->cause = EXPORT_REMOVE;
    return error;
}

static const char *ftp_host_key(const Remote *r) {
    return NULL;
}

static Remote *ftp_free(Remote *r) {
    Ftp *f = ftp_of(r);

    curl_easy_cleanup(f->curl);
    curl_multi_cleanup(f->loop);
    curl_slist_free_all(f->addresses);
    free(f->root);
    free(f->base);
    free(f);
    return NULL;
}

static const RemoteClass class = {
    .connect = ftp_connect,
    .make_folder = ftp_make_folder,
    .size = ftp_size,
    .store = ftp_store,
    .rename = ftp_rename,
    .remove = ftp_remove,
    .host_key = ftp_host_key,
    .free = ftp_free,
};

int ftp_new(const Line *line, Remote **ret) {
    const ExportOrder *o = line->order;
    Ftp *f = calloc(1, sizeof(*f));
    int r = -ENOMEM;

    if (!f)
        return -ENOMEM;
    f->remote.class = &class;
    f->line = line;
    f->control = -EBADF;
    f->curl = curl_easy_init();
    f->loop = curl_multi_init();
    if (asprintf(&f->root, strchr(o->host, ':') ? "ftp://[%s]:%u/" : "ftp://%s:%u/", o->host, (unsigned) o->port) < 0)
        f->root = NULL;
    if (f->curl && f->loop && f->root)
        r = pin_addresses(f);
    if (r >= 0)
        r = set_options(f);
    if (r < 0) {
        ftp_free(&f->remote);
        return r;
    }
    *ret = &f->remote;
    return 0;
}

int ftp_global_begin(void) {
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}
