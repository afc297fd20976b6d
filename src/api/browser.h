/* What answers say to browsers: who may read them (CORS, Fetch standard section 3.2) and what a page may do that shows one (CSP, nosniff, HSTS).
 *
 * Tokens travel in Authorization, never in cookies, so no answer ever allows credentials. Origins are compared as text with TEMPOFTP_CORS_ORIGINS. */
#pragma once

#include "basic/buffer.h"
#include "model/settings.h"

#include <h2o.h>

/* Adds to every answer before it is sent, libh2o's own included. A header that the answer has already stays: how /docs has a policy of its own. */
void browser_add_headers(h2o_req_t *req, const Settings *settings);
/* The same that every answer gets, as lines that end in CRLF: for answers that libh2o does not write. */
void browser_print_headers(Buffer *to, bool over_tls);
/* The answer to OPTIONS: when it is a preflight of a known origin, says that these methods may be called, and with which headers. */
void browser_allow_methods(h2o_req_t *req, const Settings *settings, const char *methods);
/* Came this request over TLS? Told by the connection, whatever the request says. */
bool browser_is_over_tls(const h2o_req_t *req);
