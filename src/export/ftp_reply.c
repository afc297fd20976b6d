/* Replies of FTP servers, read with suspicion: they are a stranger's text. */
#include "export/ftp_reply.h"

#include "basic/strings.h"

#include <errno.h>
#include <stdio.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void ftp_reply_take(FtpReply *r, const char *line, size_t size) {
    int code;

    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
        size--;
    if (size < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]) || (size > 3 && line[3] != ' ' && line[3] != '-'))
        return;
    code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (size > 3 && line[3] == '-' && code < 400) /* words around an answer that is still to come */
        return;
    /* The first line of a refusal says why; Pure-FTPd's last one says how long it took. */
    if (code < 400 || code != r->code)
        snprintf(r->text, sizeof(r->text), "%.*s", (int) (size < sizeof(r->text) ? size : sizeof(r->text) - 1), line);
    r->code = code;
}

int ftp_reply_size(const FtpReply *r, uint64_t *ret) {
    char number[24];

    if (r->code != 213 || strlen(r->text) < 5)
        return -ENOENT;
    snprintf(number, sizeof(number), "%.*s", (int) strspn(r->text + 4, "0123456789"), r->text + 4);
    return parse_u64(number, INT64_MAX, ret) < 0 ? -ENOENT : 0;
}

static const struct {
    int code;
    ExportCause cause;
} codes[] = {
    { 421, EXPORT_BUSY },            { 425, EXPORT_CONNECTION_LOST }, { 426, EXPORT_CONNECTION_LOST }, { 452, EXPORT_SPACE },
    { 530, EXPORT_LOGIN },           { 532, EXPORT_LOGIN },           { 552, EXPORT_SPACE },
};

/* Servers that give a full disk another code say it in words. Pure-FTPd ("451-Error during write to file") and vsftpd ("451 Failure writing to local file.") don't
 * say why they could not write; that is nearly always why, and a person is shown their words. */
static const char *const full[] = { "No space left", "Disk full", "disk full", "quota", "Quota", "Error during write to file", "Failure writing to local file" };

ExportCause ftp_reply_cause(const FtpReply *r, ExportCause otherwise) {
    for (size_t i = 0; i < ELEMENTS(full); i++)
        if (r->code >= 400 && strstr(r->text, full[i]))
            return EXPORT_SPACE;
    for (size_t i = 0; i < ELEMENTS(codes); i++)
        if (r->code == codes[i].code)
            return codes[i].cause;
    return otherwise;
}
