/* Answers to clients before libh2o has a request of theirs, in the form of all others: CONTRACT "General". HTTP/1.1, and the connection ends with it. */
#pragma once

#include "basic/buffer.h"

/* Status and headers and {"detail": the standing text of that status}. */
void early_reply_print(Buffer *to, int status, bool over_tls);
