/* The API's TLS certificate and key, as an operator gives them: chosen once, at the start. A bad one is refused, and the one before is used, which the
 * database keeps, encrypted, so that an idle exit, a kill and a reboot do not end HTTPS. */
#pragma once

#include "api/manager.h"
#include "crypto/tls_context.h"

#define CERTIFICATE_STATUS_SIZE 320

/* Logs what is wrong. -ENOMEM; 0 also when there is none that could be used. */
int certificate_open(Manager *m, Certificate **ret) _must_use_;
Certificate *certificate_free(Certificate *c);
/* NULL: HTTPS can't be spoken. Belongs to the certificate. */
SSL_CTX *certificate_context(const Certificate *c);
/* A sentence for `systemctl status`, at that time (UTC seconds). */
void certificate_status(const Certificate *c, int64_t now, char ret[static CERTIFICATE_STATUS_SIZE]);
