/* Where a session may write, for replies that say so; the wall itself is the landlock domain (jail.c).
 *
 * Counting a drop takes time, so it is done at most every DROP_COUNT_MS, and never more than a twentieth of the time. Between two counts the
 * session keeps its own account of what it changes; what other sessions add meanwhile is seen by the next count. */
#include "ftpd/drop.h"

#include "basic/strings.h"
#include "basic/time.h"
#include "basic/usage.h"
#include "ftpd/jail.h"

#define DROP_COUNT_MS 2000
#define DROP_COUNT_SHARE 20

static bool is_whole_home(const Session *s) {
    return streq(s->start->drop, "/");
}

bool drop_holds(const Session *s, const char *path) {
    if (is_whole_home(s))
        return path[1] != '\0';
    return path_is_within(path, s->start->drop) && path[1 + strlen(s->start->drop)] == '/';
}

ListingRights drop_rights(const Session *s, const char *path) {
    if (s->start->drop[0] == '\0')
        return LISTING_READ;
    if (drop_holds(s, path))
        return LISTING_CHANGE;
    return streq(path[1] ? path + 1 : path, s->start->drop) ? LISTING_FILL : LISTING_READ;
}

int drop_resolve(Session *s, const char *argument, char ret[static VIRTUAL_PATH_MAX]) {
    int r = session_resolve(s, argument, ret);
    if (r <= 0 || drop_holds(s, ret))
        return r;
    r = is_whole_home(s) ? reply(s->conversation.fd, 550, "La carpeta de inicio no se cambia.")
                         : reply(s->conversation.fd, 550, "Solo se puede escribir dentro de /%s.", s->start->drop);
    return r < 0 ? r : 0;
}

/* What can't be counted is full. */
static void count(Session *s, uint64_t now) {
    char path[WIRE_ID_SIZE + 1];

    path[0] = '/';
    strcpy(path + 1, is_whole_home(s) ? "" : s->start->drop);
    if (usage_of(CHILD_HOME_FD, path, USAGE_NAMES_MAX, &s->quota.used, &s->quota.names) < 0)
        s->quota.used = s->quota.names = UINT64_MAX;
    uint64_t after = monotonic_ms(), pause = (after - now) * DROP_COUNT_SHARE;
    s->count_again_ms = after + (pause > DROP_COUNT_MS ? pause : DROP_COUNT_MS);
}

Quota *drop_quota(Session *s) {
    uint64_t now = monotonic_ms();

    s->quota.limit = s->start->quota;
    if (s->quota.limit > 0 && now >= s->count_again_ms)
        count(s, now);
    return &s->quota;
}

void drop_forget(Session *s) {
    s->count_again_ms = 0;
}
