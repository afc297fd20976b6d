/* GET /openapi.json, GET /docs and its files. The description is written once, when first asked for; the page's files are part of the program, so that nothing is
 * read or fetched at run time. What is in either is not known here. */
#include "api/docs.h"

#include "api/openapi.h"
#include "api/reply.h"
#include "api/resources.h"
#include "basic/strings.h"
#include "crypto/password.h"

#include <errno.h>
#include <stdio.h>

#define PAGE "index.html"
#define NOT_BUILT "Este servicio se construyó sin la página de documentación; la descripción de la API está en /openapi.json"
/* Scripts, styles and calls: of this service only. Pictures within the style sheet are data. */
#define PAGE_POLICY                                                                                                                       \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; " \
    "frame-ancestors 'none'"

struct Docs {
    Buffer body;
    char etag[2 + 64 + 1];
};

Docs *docs_free(Docs *d) {
    if (!d)
        return NULL;
    buffer_done(&d->body);
    free(d);
    return NULL;
}

static int docs_make(const Settings *settings, Docs **ret) {
    Docs *d = calloc(1, sizeof(*d));
    uint8_t digest[32];
    char hex[65];
    size_t n;

    if (!d)
        return -ENOMEM;
    const Route *routes = route_table(&n);
    openapi_write(&d->body, routes, n, settings);
    if (d->body.error) {
        int r = d->body.error;
        docs_free(d);
        return r;
    }
    sha256(d->body.data, d->body.size, digest);
    hex_encode(digest, sizeof(digest), hex);
    snprintf(d->etag, sizeof(d->etag), "\"%s\"", hex);
    *ret = d;
    return 0;
}

void openapi_get(Call *c) {
    int r = c->m->docs ? 0 : docs_make(c->m->settings, &c->m->docs);

    if (r < 0) {
        reply_errno(c, r);
        return;
    }
    const Docs *d = c->m->docs;
    reply_document(c, &(Document) { .type = "application/json", .etag = d->etag, .data = d->body.data, .size = d->body.size });
}

/* q=0 is not looked for: no browser says it of gzip. */
static bool takes_gzip(const Call *c) {
    h2o_iovec_t accept = call_header(c, "accept-encoding");

    return accept.base && h2o_strstr(accept.base, accept.len, H2O_STRLIT("gzip")) != SIZE_MAX;
}

static void reply_file(Call *c, const char *name, const char *missing) {
    for (const DocsFile *f = docs_files; f->name; f++)
        if (streq(f->name, name)) {
            Document d = { .type = f->type, .etag = f->etag, .policy = PAGE_POLICY, .data = f->data, .size = (size_t) (f->data_end - f->data) };
            if (takes_gzip(c)) {
                d.encoding = "gzip";
                d.etag = f->gzip_etag;
                d.data = f->gzip;
                d.size = (size_t) (f->gzip_end - f->gzip);
            }
            reply_document(c, &d);
            return;
        }
    reply_detail(c, 404, missing);
}

void docs_page_get(Call *c) {
    reply_file(c, PAGE, NOT_BUILT);
}

void docs_file_get(Call *c) {
    reply_file(c, c->param, reply_standing_text(404));
}
