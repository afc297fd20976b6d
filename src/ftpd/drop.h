/* The part of the home that a session may write in: where it begins and how much still fits. */
#pragma once

#include "ftpd/session.h"

/* A name that is to be made, changed or removed: 1 the path stands and lies below the drop; 0 answered; negative: broken. */
int drop_resolve(Session *s, const char *argument, char ret[static VIRTUAL_PATH_MAX]) _must_use_;
/* May `path` be written? The drop itself may not: only what is in it. */
bool drop_holds(const Session *s, const char *path);
/* What the perm fact says of `path`. */
ListingRights drop_rights(const Session *s, const char *path);
/* The session's count, made anew when it has become old: other sessions of the account put files too. */
Quota *drop_quota(Session *s);
/* The next drop_quota() counts. */
void drop_forget(Session *s);
