/* Which rows of the trail are meant. It knows nothing of where they are kept. */
#include "model/audit.h"

#include "basic/strings.h"

static bool same(const char *wanted, const char *text) {
    return !wanted || (text && streq(wanted, text));
}

static bool is_actor(const char *wanted, const char *actor) {
    const char *colon = strchr(actor, ':');

    return same(wanted, actor) || (colon && streq(wanted, colon + 1));
}

static bool is_action(const char *wanted, const char *action) {
    size_t size;

    if (same(wanted, action))
        return true;
    size = strlen(wanted);
    return size > 0 && strncmp(action, wanted, size) == 0 && action[size] == ' ';
}

bool audit_filter_matches(const AuditFilter *f, const AuditRow *row) {
    if ((f->since != 0 && row->at < f->since) || (f->until != 0 && row->at > f->until))
        return false;
    return is_actor(f->actor, row->actor) && is_action(f->action, row->action) && same(f->target, row->target) && same(f->address, row->address) &&
           same(f->request_id, row->request_id);
}
