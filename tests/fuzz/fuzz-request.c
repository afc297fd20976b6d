/* Bodies of POST /tmpftp and of its actions: whatever is accepted keeps every rule, whatever is refused says why. */
#include "basic/strings.h"
#include "model/request.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(int r, const Refusal *f) {
    if (r == 0)
        return;
    assert(r == -EBADMSG);
    assert(f->status == 400 ? f->message && f->n_errors == 0 : f->status == 422 && f->n_errors > 0);
    assert(f->n_errors <= FIELD_ERRORS_MAX);
    assert(utf8_is_valid(f->cut_id, strlen(f->cut_id)));
    for (size_t i = 0; i < f->n_errors; i++)
        assert(f->errors[i].type && f->errors[i].message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *body = (const char *) data;
    char *origins[] = { (char[]) { "10.0.0.1" }, (char[]) { "[::1]" }, NULL };
    const RequestRules rules[] = { { .vigencia_max = 90 }, { .vigencia_max = 3, .origins = origins } };

    for (size_t i = 0; i < ELEMENTS(rules); i++) {
        _cleanup_new_request_ NewRequest n = { 0 };
        Refusal refusal = { 0 };
        int r = new_request_parse(body, size, &rules[i], &n, &refusal);
        check_refusal(r, &refusal);
        if (r == 0) {
            assert(id_is_valid(n.id) && email_is_valid(n.email) && (n.group[0] == '\0' || group_is_valid(n.group)));
            assert(n.vigencia >= 1 && n.vigencia <= rules[i].vigencia_max && n.ruta);
        }
    }

    _cleanup_free_ char *reason = NULL;
    Refusal refusal = { 0 };
    check_refusal(block_body_parse(body, size, &reason, &refusal), &refusal);
    assert(!reason || utf8_is_valid(reason, strlen(reason)));
    int days = 1;
    refusal = (Refusal) { 0 };
    check_refusal(extend_body_parse(body, size, &days, &refusal), &refusal);
    assert(days >= 1 && days <= DAYS_MAX);
    uint64_t bytes = 1;
    refusal = (Refusal) { 0 };
    check_refusal(drop_body_parse(body, size, &bytes, &refusal), &refusal);
    assert(bytes >= 1 && bytes <= DROP_BYTES_MAX);
    return 0;
}
