/* Where lines go: the journal with fields when stderr is the journal, plain lines on stderr otherwise.
 *
 * It refuses to know what is worth saying: levels and texts are the caller's. The program's name, the highest level and
 * whether stderr is the journal are the only mutable state of this room; main sets them once through log_open(), before
 * any thread starts, and they are only read afterwards. */
#define SD_JOURNAL_SUPPRESS_LOCATION /* CODE_FILE would always be this file */
#include "basic/log.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#define LINE_SIZE 2048 /* longer lines are cut: what strangers send must not fill the log */
#define FIELD_SIZE 512
#define FIELDS_MAX 12

static struct {
    const char *program;
    int max_level;
    bool journal;
    bool stream; /* the journal, through stderr */
} logger = { .program = "tempoftp", .max_level = LOG_INFO };

static const struct {
    const char *name; /* as a setting names it; NULL: only printed */
    const char *label;
    int level;
} levels[] = {
    { "debug", "debug", LOG_DEBUG }, { "info", "info", LOG_INFO },    { "warning", "warning", LOG_WARNING },
    { "error", "error", LOG_ERR },   { NULL, "notice", LOG_NOTICE },
};

/* systemd.exec(5): JOURNAL_STREAM holds device and inode of the stream it gave us; compare, since stderr may have been
 * redirected since. */
static bool stderr_is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char now[64];

    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return false;
    snprintf(now, sizeof(now), "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
    return strcmp(stream, now) == 0;
}

void log_open(const char *program, int max_level) {
    logger.program = program;
    logger.max_level = max_level;
    logger.journal = stderr_is_journal();
    logger.stream = false;
}

void log_open_stream(const char *program, int max_level) {
    log_open(program, max_level);
    logger.stream = logger.journal;
    logger.journal = false;
}

int log_level_parse(const char *text) {
    for (size_t i = 0; i < ELEMENTS(levels); i++)
        if (levels[i].name && strcasecmp(text, levels[i].name) == 0)
            return levels[i].level;
    return -EINVAL;
}

static const char *level_label(int level) {
    for (size_t i = 0; i < ELEMENTS(levels); i++)
        if (levels[i].level == level)
            return levels[i].label;
    return "error"; /* LOG_CRIT and worse */
}

typedef struct Fields {
    struct iovec vec[FIELDS_MAX];
    char text[FIELDS_MAX][FIELD_SIZE];
    size_t n;
} Fields;

static void add_field(Fields *f, const char *name, const char *value) {
    if (!value || f->n >= FIELDS_MAX)
        return;
    int length = snprintf(f->text[f->n], FIELD_SIZE, "%s%s", name, value);
    if (length < 0)
        return;
    f->vec[f->n].iov_base = f->text[f->n];
    f->vec[f->n].iov_len = length < FIELD_SIZE ? (size_t) length : FIELD_SIZE - 1;
    f->n++;
}

/* Which request it is about stands in the text too, as fields don't show in what journalctl prints for everybody at once. */
static int send_to_journal(int level, const LogContext *about, const char *message) {
    char text[LINE_SIZE + FIELD_SIZE];
    Fields f = { .n = 0 };

    int n = about && about->request ? snprintf(text, sizeof(text), "MESSAGE=%s [%s]", message, about->request)
                                    : snprintf(text, sizeof(text), "MESSAGE=%s", message);
    if (n < 0)
        return -EINVAL;
    f.vec[f.n++] = (struct iovec) { text, (size_t) n < sizeof(text) ? (size_t) n : sizeof(text) - 1 };
    add_field(&f, "PRIORITY=", (char[]) { (char) ('0' + level), '\0' });
    add_field(&f, "SYSLOG_IDENTIFIER=", logger.program);
    if (about) {
        add_field(&f, "TEMPOFTP_ID=", about->request);
        add_field(&f, "TEMPOFTP_REQUEST_ID=", about->http);
        add_field(&f, "TEMPOFTP_ACCOUNT=", about->account);
        add_field(&f, "TEMPOFTP_PEER=", about->peer);
        add_field(&f, "MESSAGE_ID=", about->message_id);
        for (size_t i = 0; i < ELEMENTS(about->extra) && about->extra[i]; i++)
            add_field(&f, "", about->extra[i]);
    }
    return sd_journal_sendv(f.vec, (int) f.n);
}

static void print_plain(int level, const LogContext *about, const char *message) {
    const char *ids[] = { about ? about->request : NULL, about ? about->http : NULL, about ? about->account : NULL,
                          about ? about->peer : NULL };
    char line[LINE_SIZE + 4 * FIELD_SIZE];
    const size_t end = sizeof(line) - 1; /* the last byte is for the newline */
    int written = logger.stream ? snprintf(line, end, "<%d>%s", level, message) /* sd-daemon(3) */
                                : snprintf(line, end, "%s: %s: %s", logger.program, level_label(level), message);
    size_t n = written > 0 ? (size_t) written : 0;

    for (size_t i = 0; i < ELEMENTS(ids); i++)
        if (ids[i] && n < end)
            n += (size_t) snprintf(line + n, end - n, " [%s]", ids[i]);
    if (n >= end)
        n = end - 1;
    for (size_t i = 0; i < n; i++) /* one line stays one line, and terminals get no commands */
        if ((unsigned char) line[i] < ' ' || line[i] == 0x7f)
            line[i] = ' ';
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0) /* one call, so that threads' lines don't mix */
        return;
}

/* reason: 0, or the errno whose text ends the line. */
_printf_(4, 0)
static void log_va(int level, const LogContext *about, int reason, const char *format, va_list args) {
    if (level > logger.max_level)
        return;

    int saved = errno;
    char line[LINE_SIZE], text[128];
    vsnprintf(line, sizeof(line), format, args);
    if (reason != 0) {
        size_t size = strlen(line);
        snprintf(line + size, sizeof(line) - size, ": %s", strerror_r(abs(reason), text, sizeof(text)));
    }
    if (!logger.journal || send_to_journal(level, about, line) < 0)
        print_plain(level, about, line);
    errno = saved;
}

void log_line(int level, const LogContext *about, const char *format, ...) {
    va_list args;

    va_start(args, format);
    log_va(level, about, 0, format, args);
    va_end(args);
}

void log_warning_text(const char *text, void *userdata) {
    log_warning("%s", text);
}

int log_errno(int r, const char *format, ...) {
    va_list args;

    va_start(args, format);
    log_va(LOG_ERR, NULL, r, format, args);
    va_end(args);
    return r;
}
