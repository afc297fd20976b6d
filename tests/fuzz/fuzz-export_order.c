/* Run credentials and answers of tests: what is taken can be written and read again. */
#include "model/export_order.h"

#include "basic/strings.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char bytes[EXPORT_ORDER_SIZE], again[EXPORT_ORDER_SIZE];
    _cleanup_export_order_ ExportOrder o = { 0 };
    ProbeResult p;
    size_t written;

    if (size > sizeof(bytes))
        return 0;
    memcpy(bytes, data, size);
    int r = export_order_parse(bytes, size, &o);
    assert(r == 0 || r == -EBADMSG);
    assert(memcmp(bytes, data, size) == 0);
    if (r == 0) {
        assert(o.host && o.username && o.path && o.addresses[0] && o.port > 0);
        if (export_order_format(&o, again, sizeof(again), &written) == 0) {
            _cleanup_export_order_ ExportOrder back = { 0 };
            assert(export_order_parse(again, written, &back) == 0);
            assert(streq(back.host, o.host) && streq_null(back.password, o.password));
        }
    }
    r = probe_result_parse(bytes, size, &p);
    assert(r == -EBADMSG || (r == 0 && strlen(p.detail) < sizeof(p.detail)));
    return 0;
}
