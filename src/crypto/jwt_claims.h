/* Claims out of a payload. Private to crypto/'s jwt files. */
#pragma once

#include "crypto/jwt.h"

#include <stdbool.h>

/* Do they make sense, whatever the clock says? */
bool jwt_claims_are_sound(const JwtClaims *c);
/* Reads JSON; false, with *ret untouched: not an object with all of our claims, or not sound ones. Others are ignored, doubled ones refused. */
bool jwt_claims_read(const char *text, size_t size, JwtClaims *ret);
