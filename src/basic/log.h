/* Logging for programs: to the journal with fields when stderr is the journal (JOURNAL_STREAM),
 * else plain lines to stderr. Library rooms log at debug at most; programs log once, where they decide.
 *
 * Errors: logging never fails the caller. Secrets never go in here.
 * Source: sd_journal_sendv(3), systemd.exec(5) JOURNAL_STREAM. */
#pragma once

#include "basic/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

/* What a line is about; any member may be NULL (then the field is left out). */
typedef struct LogContext {
    const char *request;    /* TEMPOFTP_ID= */
    const char *http;       /* TEMPOFTP_REQUEST_ID=, the X-Request-ID */
    const char *account;    /* TEMPOFTP_ACCOUNT= */
    const char *peer;       /* TEMPOFTP_PEER=, a client's address */
    const char *message_id; /* MESSAGE_ID=, from the catalog, 32 hex digits */
    const char *extra[4];   /* further "NAME=value" fields, NULL-terminated early */
} LogContext;

/* Once in main: the program's name for plain lines and the highest level to print (LOG_DEBUG…LOG_ERR). */
void log_open(const char *program, int max_level);
/* The same for a program whose last words matter: lines go to the journal through stderr, whose unit the journal knows from the start. Of a message
 * it looks the sender up, and finds nobody when that has ended meanwhile: neither unit nor LogExtraFields=. No fields here: their values follow the
 * text in brackets. */
void log_open_stream(const char *program, int max_level);
/* "debug", "info", "warning", "error" (any case) → LOG_*; -EINVAL for anything else. */
int log_level_parse(const char *text);

void log_line(int level, const LogContext *about, const char *format, ...) _printf_(3, 4);

#define log_error(...) log_line(LOG_ERR, NULL, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, NULL, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, NULL, __VA_ARGS__)
/* A warning, as a callback of rooms that log nothing themselves (settings.h: SettingsWarn); userdata is not looked at. */
void log_warning_text(const char *text, void *userdata);
/* "message: strerror(r)" and returns r: return log_errno(r, "Cannot open %s", path); */
int log_errno(int r, const char *format, ...) _printf_(2, 3);
