/* What a stranger's SFTP server sends: replies one after the other, never past the end. */
#include "basic/strings.h"
#include "export/sftp_packet.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SftpReply r;

    for (size_t at = 0; at < size;) {
        int n = sftp_reply_parse(data + at, size - at, &r);

        if (n <= 0)
            break;
        assert((size_t) n <= size - at && n > 4);
        assert(r.handle_size <= SFTP_HANDLE_MAX && strlen(r.text) < SFTP_TEXT_MAX);
        at += (size_t) n;
    }
    return 0;
}
