/* The transfer worker's three calls. */
#include "transfer/report.h"

#include "basic/log.h"
#include "units/manager_report.h"

#include <errno.h>

static int report(const ManagerReport *what) {
    int r = manager_report(what, MANAGER_PATIENCE_SECONDS);

    if (r != -ETIMEDOUT)
        return r;
    log_error("%s: tempoftpd did not answer for %d minutes", what->method, MANAGER_PATIENCE_SECONDS / 60);
    return -EIO;
}

int report_sized(const char *token, uint64_t bytes, uint64_t files, uint64_t needed) {
    return report(&(ManagerReport) { "TransferSized", token, (const uint64_t[]) { bytes, files, needed }, 3, NULL });
}

int report_done(const char *token, uint64_t bytes, uint64_t files) {
    return report(&(ManagerReport) { "TransferDone", token, (const uint64_t[]) { bytes, files }, 2, NULL });
}

int report_failed(const char *token, const Failure *f) {
    return report(&(ManagerReport) { "TransferFailed", token, NULL, 0, (const char *const[]) { cause_name(f->cause), f->detail, NULL } });
}
