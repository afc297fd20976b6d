/* The user's session: the token of the last `tempoftp login`, in the user's state folder, 0600. It is sent to the service that gave it, and to no other. */
#pragma once

#include "cli/client.h"

/* $XDG_STATE_HOME/tempoftp/session.json, else ~/.local/state/…; heap. NULL: no home, or no memory. */
char *session_path(void);
/* Puts the session's token on the client's calls, when there is one for its target. Without one nothing happens; a file that others could read or write is
 * told and not used. */
void session_use(Client *client);
/* Remembers a token for that client's target. Negative errno. */
int session_save(const Client *client, const char *email, const char *token) _must_use_;
/* Forgets it; also when there is none. */
int session_remove(void) _must_use_;
