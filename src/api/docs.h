/* GET /openapi.json, GET /docs and the page's files. */
#pragma once

#include "api/manager.h"

/* What was made for /openapi.json; NULL is fine. */
Docs *docs_free(Docs *d);

/* A file of the page, embedded at build time (docs/embed.py makes the table; it is empty with -Ddocs=disabled). */
typedef struct DocsFile {
    const char *name;               /* NULL ends the table */
    const char *type;               /* Content-Type */
    const char *etag, *gzip_etag;   /* with their quotes */
    const char *data, *gzip;
    const char *data_end, *gzip_end;
} DocsFile;
extern const DocsFile docs_files[];
