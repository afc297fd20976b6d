/* One request as the service describes it, shown to a person or handed to a script. */
#pragma once

#include "cli/args.h"
#include "cli/client.h"
#include "model/progress.h"

/* The state named in an answer (`status`) or an event (`estado`); false when none is. */
bool answer_state(const json_t *answer, State *ret);
/* "progreso" of an answer, or an event that is one itself; false while the size is not known. */
bool answer_progress(const json_t *answer, Progress *ret);
/* A bar and figures, within a line of a description; to stdout. */
void answer_print_progress(const Progress *progress);

/* A 2xx answer of GET or POST: as aligned text, or the JSON itself with args->json. `password` is opened when a key is at hand. `id` stands in where
 * the answer has none. */
void answer_print(const Args *args, const char *id, const Reply *reply);
