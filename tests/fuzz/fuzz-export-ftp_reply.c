/* Lines of a stranger's FTP server. */
#include "basic/strings.h"
#include "export/ftp_reply.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = strndup((const char *) data, size);
    char *rest = text, *line;
    FtpReply r = { 0 };
    uint64_t number;

    while ((line = strsep(&rest, "\n"))) {
        ftp_reply_take(&r, line, strlen(line));
        assert(r.code >= 0 && r.code <= 999 && strlen(r.text) < sizeof(r.text));
        assert(ftp_reply_size(&r, &number) < 0 || number <= INT64_MAX);
        assert((unsigned) ftp_reply_cause(&r, EXPORT_WRITE) < EXPORT_CAUSE_MAX);
    }
    return 0;
}
