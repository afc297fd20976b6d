/* What ftp.c and sftp.c have in common, and which of them speaks to a destination. */
#include "export/remote.h"

#include "basic/strings.h"

#include <errno.h>

void printable(const char *text, char *ret, size_t size) {
    size_t left = strlen(text), used = 0;

    while (left > 0) {
        uint32_t point;
        int n = utf8_decode(text, left, &point);
        bool odd = n < 0 || point < ' ' || (point >= 0x7f && point < 0xa0);
        size_t step = n > 0 ? (size_t) n : 1, width = odd ? 1 : step;

        if (used + width + 1 > size)
            break;
        memcpy(ret + used, odd ? "?" : text, width);
        used += width;
        text += step;
        left -= step;
    }
    ret[used] = '\0';
}

int failed(ExportFailure *ret, ExportCause cause, const char *detail) {
    char text[PROBE_DETAIL_SIZE];

    printable(detail ? detail : "", text, sizeof(text)); /* detail may be ret's own */
    ret->cause = cause;
    memcpy(ret->detail, text, sizeof(text));
    return -ECONNABORTED;
}

bool line_allows(const Line *l, const struct sockaddr *address) {
    InetAddress a;

    return inet_address_of(address, &a) >= 0 && (l->internal || !inet_address_is_inner(&a, l->own, l->n_own));
}

int remote_new(const Line *line, Remote **ret) {
    return line->order->type == DESTINATION_SFTP ? sftp_new(line, ret) : ftp_new(line, ret);
}

Remote *remote_free(Remote *r) {
    return r ? r->class->free(r) : NULL;
}
