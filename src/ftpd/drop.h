/* The part of the home that a session may write in: where it begins and how much still fits.
 *
 * Of a drop with a limit nothing is used that the listener has not granted before (lease.h), because other sessions of the account fill it too. Who asks may wait
 * for a count of the drop, and hears control and wire meanwhile. */
#pragma once

#include "ftpd/session.h"

/* A name that is to be made, changed or removed: 1 the path stands and lies below the drop; 0 answered; negative: broken. */
int drop_resolve(Session *s, const char *argument, char ret[static VIRTUAL_PATH_MAX]) _must_use_;
/* May `path` be written? The drop itself may not: only what is in it. */
bool drop_holds(const Session *s, const char *path);
/* What the perm fact says of `path`. */
ListingRights drop_rights(const Session *s, const char *path);

/* How many of these bytes may be added to a file: from now on they are used. */
int drop_take(Session *s, size_t size, size_t *ret) _must_use_;
/* May a file or folder be made? drop_made() when it was. -EDQUOT. */
int drop_take_name(Session *s) _must_use_;
void drop_made(Session *s);
/* Would so much fit, now? 1, 0 or negative. */
int drop_has_room(Session *s, uint64_t size) _must_use_;
/* May a name be moved? Until drop_settle(). */
int drop_begin_rename(Session *s) _must_use_;
/* Something was removed or became smaller. */
void drop_freed(Session *s);
/* What is left of all that goes back, at the end of each command. */
void drop_settle(Session *s);

/* For the wire: */
void drop_on_grant(Session *s, const WireGrant *m);
int drop_on_count(Session *s, uint32_t serial) _must_use_;
/* There may be another listener, which knows of nothing granted. */
int drop_tell_again(Session *s) _must_use_;
