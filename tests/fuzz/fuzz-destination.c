/* Bodies about destinations: whatever comes is read into values that fit their fields and could be sent in a line of FTP, or refused in words. */
#include "model/destination.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(int r, const Refusal *refusal) {
    assert(r == -EBADMSG);
    assert(refusal->status == 422 ? refusal->n_errors > 0 : refusal->status == 400 && refusal->message && refusal->plain);
}

static void check_line(const char *text) {
    assert(!text || !strpbrk(text, "\r\n"));
}

static void try(const char *body, size_t size, bool whole) {
    _cleanup_destination_body_ DestinationBody b = { 0 };
    Destination d = { .id = !whole, .type = DESTINATION_SFTP, .port = 22, .password = whole ? NULL : (char *) "kept" };
    Refusal refusal;

    int r = destination_body_parse(body, size, whole, &b, &refusal);
    if (r >= 0)
        r = destination_body_apply(&b, &d, &refusal);
    if (r < 0) {
        check_refusal(r, &refusal);
        return;
    }
    assert(d.port > 0);
    check_line(d.name);
    check_line(d.username);
    check_line(d.path);
    check_line(b.password);
    assert(!d.host_key[0] || host_key_is_valid(d.host_key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Refusal refusal;
    ExportBody b;

    try((const char *) data, size, true);
    try((const char *) data, size, false);
    int r = export_body_parse((const char *) data, size, &b, &refusal);
    if (r < 0)
        check_refusal(r, &refusal);
    return 0;
}
