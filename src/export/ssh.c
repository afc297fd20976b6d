/* libssh's side of an upload: keys, login, and a channel's bytes.
 *
 * Nothing of the user's configuration is read: no ssh_config, no known_hosts, no agent; the one host key is the one that an operator accepted. */
#include "export/ssh.h"

#include "basic/strings.h"
#include "basic/time.h"
#include "export/dial.h"

#include <errno.h>
#include <libssh/libssh.h>
#include <stdio.h>

#define LOOK_MS 200             /* how often Flow.stop is looked at while waiting */
#define PIECE (32 * 1024U)      /* of a packet; RFC 4253, 6.1 */
#define PROMPTS_MAX 8           /* of a keyboard-interactive login */

struct Ssh {
    ssh_session session;
    ssh_channel channel;
    const Line *line;
    const bool *cleaning;
};

static bool is_stopped(const Ssh *s) {
    return atomic_load(&s->line->flow->stop) && !*s->cleaning;
}

Ssh *ssh_close(Ssh *s) {
    if (!s)
        return NULL;
    if (s->channel)
        ssh_channel_free(s->channel);
    if (s->session) {
        ssh_disconnect(s->session);
        ssh_free(s->session);
    }
    free(s);
    return NULL;
}
DEFINE_CLEANUP(Ssh, ssh_close)

static int said(const Ssh *s, ExportCause cause, ExportFailure *ret) {
    return is_stopped(s) ? -ECANCELED : failed(ret, cause, ssh_get_error(s->session));
}

/* ---- connecting ---- */

typedef struct Option {
    enum ssh_options_e name;
    const void *value;
} Option;

/* AES-GCM first: with the processor's own instructions it is the fastest by far. */
#define CIPHERS "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"

static int set_options(Ssh *s, int fd) {
    const ExportOrder *o = s->line->order;
    unsigned port = o->port;
    long seconds = s->line->connect_seconds;
    bool no = false;
    const Option options[] = {
        { SSH_OPTIONS_PROCESS_CONFIG, &no },
        { SSH_OPTIONS_SSH_DIR, "/nonexistent" },
        { SSH_OPTIONS_KNOWNHOSTS, "/dev/null" },
        { SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null" },
        { SSH_OPTIONS_HOST, o->host },
        { SSH_OPTIONS_PORT, &port },
        { SSH_OPTIONS_USER, o->username },
        { SSH_OPTIONS_TIMEOUT, &seconds },
        { SSH_OPTIONS_COMPRESSION, "no" },
        { SSH_OPTIONS_CIPHERS_C_S, CIPHERS },
        { SSH_OPTIONS_CIPHERS_S_C, CIPHERS },
        { SSH_OPTIONS_FD, &fd },
    };

    for (size_t i = 0; i < ELEMENTS(options); i++)
        if (ssh_options_set(s->session, options[i].name, options[i].value) < 0)
            return -EINVAL;
    return 0;
}

static int check_host_key(Ssh *s, char ret_host_key[static HOST_KEY_SIZE], ExportFailure *ret) {
    const char *accepted = s->line->order->host_key;
    unsigned char *hash = NULL;
    char *text = NULL;
    ssh_key key = NULL;
    size_t size;
    bool known;

    if (ssh_get_server_publickey(s->session, &key) == SSH_OK && ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) == 0)
        text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
    known = text && host_key_is_valid(text);
    if (known)
        snprintf(ret_host_key, HOST_KEY_SIZE, "%s", text);
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
    ssh_key_free(key);
    if (!known)
        return said(s, EXPORT_CONNECTION_LOST, ret);
    if (!accepted[0])
        return failed(ret, EXPORT_HOST_KEY_UNKNOWN, ret_host_key);
    return streq(accepted, ret_host_key) ? 0 : failed(ret, EXPORT_HOST_KEY_CHANGED, ret_host_key);
}

/* Servers that ask for a password as a question, with PAM behind them. */
static int answer_prompts(Ssh *s, const char *password) {
    int r = ssh_userauth_kbdint(s->session, NULL, NULL);

    for (unsigned round = 0; r == SSH_AUTH_INFO && round < PROMPTS_MAX; round++) {
        int n = ssh_userauth_kbdint_getnprompts(s->session);
        for (int i = 0; i < n && i < PROMPTS_MAX; i++)
            if (ssh_userauth_kbdint_setanswer(s->session, (unsigned) i, password) < 0)
                return SSH_AUTH_ERROR;
        r = ssh_userauth_kbdint(s->session, NULL, NULL);
    }
    return r;
}

static int try_key(Ssh *s, const char *text, ExportFailure *ret) {
    ssh_key key = NULL;
    int r;

    if (ssh_pki_import_privkey_base64(text, NULL, NULL, NULL, &key) != SSH_OK)
        return failed(ret, EXPORT_LOGIN, "the private key can't be read: no passphrase, and the format of OpenSSH or PEM");
    r = ssh_userauth_publickey(s->session, NULL, key);
    ssh_key_free(key); /* wipes it */
    return r;
}

/* Whether to try this way in, after what `r` says of the one before. Some servers want two: what is left to try is asked each time. */
static bool is_asked_for(Ssh *s, int r, const char *secret, int way) {
    return secret && r != SSH_AUTH_SUCCESS && r != SSH_AUTH_ERROR && ssh_userauth_list(s->session, NULL) & way;
}

/* sshd hangs up on who has failed too often, and says so. Whoever is cut off without a word, at the first secret, was not refused. */
static bool is_refusal(Ssh *s, int r, unsigned tried) {
    return r != SSH_AUTH_ERROR || tried > 1 || strstr(ssh_get_error(s->session), "SSH_MSG_DISCONNECT");
}

static int log_in(Ssh *s, ExportFailure *ret) {
    const ExportOrder *o = s->line->order;
    unsigned tried = 0; /* ways; all but the last were answered */
    int r = ssh_userauth_none(s->session, NULL);

    if (is_asked_for(s, r, o->ssh_key, SSH_AUTH_METHOD_PUBLICKEY)) {
        r = try_key(s, o->ssh_key, ret);
        if (r == -ECONNABORTED)
            return r;
        tried++;
    }
    if (is_asked_for(s, r, o->password, SSH_AUTH_METHOD_PASSWORD)) {
        r = ssh_userauth_password(s->session, NULL, o->password);
        tried++;
    }
    if (is_asked_for(s, r, o->password, SSH_AUTH_METHOD_INTERACTIVE)) {
        r = answer_prompts(s, o->password);
        tried++;
    }
    if (r == SSH_AUTH_SUCCESS)
        return 0;
    return is_refusal(s, r, tried) ? failed(ret, EXPORT_LOGIN, "refused") : said(s, EXPORT_CONNECTION_LOST, ret);
}

static int start_subsystem(Ssh *s, ExportFailure *ret) {
    long seconds = s->line->answer_seconds;

    s->channel = ssh_channel_new(s->session);
    if (!s->channel)
        return -ENOMEM;
    if (ssh_channel_open_session(s->channel) != SSH_OK || ssh_channel_request_subsystem(s->channel, "sftp") != SSH_OK)
        return said(s, ssh_is_connected(s->session) ? EXPORT_PATH : EXPORT_CONNECTION_LOST, ret);
    return ssh_options_set(s->session, SSH_OPTIONS_TIMEOUT, &seconds) < 0 ? -EINVAL : 0;
}

int ssh_open(const Line *line, const bool *cleaning, Ssh **ret, char ret_host_key[static HOST_KEY_SIZE], ExportFailure *ret_failure) {
    _cleanup_(ssh_closep) Ssh *s = calloc(1, sizeof(*s));
    int fd = -EBADF, r;

    ret_host_key[0] = '\0';
    if (!s)
        return -ENOMEM;
    s->line = line;
    s->cleaning = cleaning;
    r = dial(line, cleaning, &fd, ret_failure);
    if (r < 0)
        return r;
    s->session = ssh_new();
    if (!s->session || set_options(s, fd) < 0) {
        cleanup_close_(&fd);
        return -ENOMEM;
    }
    if (ssh_connect(s->session) != SSH_OK) /* closes the socket */
        return said(s, EXPORT_CONNECT, ret_failure);
    if ((r = check_host_key(s, ret_host_key, ret_failure)) < 0 || (r = log_in(s, ret_failure)) < 0 || (r = start_subsystem(s, ret_failure)) < 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}

/* ---- bytes ---- */

static int lost(const Ssh *s, ExportFailure *ret) {
    return ssh_channel_is_eof(s->channel) ? failed(ret, EXPORT_CONNECTION_LOST, "the server ended the session") : said(s, EXPORT_CONNECTION_LOST, ret);
}

static int wait_for_room(Ssh *s, size_t size, int (*on_wait)(void *), void *userdata, ExportFailure *ret) {
    uint64_t deadline = monotonic_ms() + STALL_SECONDS * UINT64_C(1000);

    while (ssh_channel_window_size(s->channel) < size) {
        int r = on_wait(userdata);
        if (r < 0)
            return r;
        if (ssh_channel_window_size(s->channel) >= size)
            break;
        if (ssh_channel_poll_timeout(s->channel, LOOK_MS, 0) == SSH_ERROR)
            return lost(s, ret);
        if (is_stopped(s))
            return -ECANCELED;
        if (monotonic_ms() >= deadline)
            return failed(ret, EXPORT_STALLED, NULL);
    }
    return 0;
}

int ssh_send(Ssh *s, const void *data, size_t size, int (*on_wait)(void *), void *userdata, ExportFailure *ret_failure) {
    const char *p = data;

    while (size > 0) {
        uint32_t piece = size < PIECE ? (uint32_t) size : PIECE;
        int r = wait_for_room(s, piece, on_wait, userdata, ret_failure);

        if (r < 0)
            return r;
        r = ssh_channel_write(s->channel, p, piece);
        if (r <= 0)
            return r == 0 ? failed(ret_failure, EXPORT_STALLED, NULL) : lost(s, ret_failure);
        p += r;
        size -= (size_t) r;
    }
    return 0;
}

int ssh_receive_now(Ssh *s, void *data, size_t size, size_t *ret_size, ExportFailure *ret_failure) {
    int n = ssh_channel_read_nonblocking(s->channel, data, (uint32_t) size, 0);

    if (n == SSH_AGAIN)
        n = 0;
    if (n < 0 || ssh_channel_is_closed(s->channel) || (n == 0 && ssh_channel_is_eof(s->channel)))
        return lost(s, ret_failure);
    *ret_size = (size_t) n;
    return 0;
}

int ssh_receive(Ssh *s, void *data, size_t size, size_t *ret_size, ExportFailure *ret_failure) {
    uint64_t deadline = monotonic_ms() + s->line->answer_seconds * UINT64_C(1000);

    for (;;) {
        int n = ssh_channel_read_timeout(s->channel, data, (uint32_t) size, 0, LOOK_MS);

        if (n > 0) {
            *ret_size = (size_t) n;
            return 0;
        }
        if ((n < 0 && n != SSH_AGAIN) || ssh_channel_is_eof(s->channel) || ssh_channel_is_closed(s->channel))
            return lost(s, ret_failure);
        if (is_stopped(s))
            return -ECANCELED;
        if (monotonic_ms() >= deadline)
            return failed(ret_failure, EXPORT_STALLED, NULL);
    }
}
