/* /openapi.json: the route table and what is written about each route, as OpenAPI 3.1. Pure: tables in, JSON out.
 *
 * Source: OpenAPI Specification 3.1.0; JSON Schema 2020-12. */
#pragma once

#include "api/route.h"
#include "basic/buffer.h"

/* The whole file. What depends on settings (limits, whether tokens are needed) is told as it is in this service. Errors stick in the Buffer. */
void openapi_write(Buffer *out, const Route *routes, size_t n, const Settings *settings);
