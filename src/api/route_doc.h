/* What is written about each route, beside what route.c's table says of it already: rows in docs_<tag>.c, of which openapi.c makes /openapi.json. A route
 * without a row, and a row without a route, fail tests/unit/test-openapi.c; every example is played against the server by tests/system/test_openapi.py.
 *
 * Texts are Spanish, as all that goes over the wire. What follows from the route's rule, limit and flags (401, 403, 413, 415, 422, 429, 500, 503) is not
 * repeated here. Everything is constant. */
#pragma once

#include "api/route.h"

typedef enum DocType { DOC_TEXT, DOC_TEXTS, DOC_INTEGER, DOC_NUMBER, DOC_BOOLEAN, DOC_TIME, DOC_OBJECT, DOC_LIST, DOC_TYPE_MAX } DocType;

typedef struct DocSchema DocSchema;

/* A key of an object, or a parameter. */
typedef struct DocField {
    const char *name; /* NULL ends a list */
    DocType type;
    const char *help;
    const char *one_of;      /* "a|b|c": nothing else */
    const DocSchema *schema; /* DOC_OBJECT, DOC_LIST */
    bool optional, nullable;
    int64_t min, max;        /* DOC_INTEGER; 0 and 0: any */
    const char *example;     /* of a parameter in the path */
    const char *fallback;    /* when a parameter is absent */
} DocField;

struct DocSchema {
    const char *name; /* in components/schemas */
    const char *help;
    const DocField *fields;
};

typedef enum DocHeader { DOC_LOCATION = 1 << 0, DOC_RETRY_AFTER = 1 << 1, DOC_ETAG = 1 << 2, DOC_WWW_AUTHENTICATE = 1 << 3 } DocHeader;

/* A status; two rows of the same status are either of both bodies. */
typedef struct DocAnswer {
    int status; /* 0 ends a list */
    const char *help;
    const DocSchema *body; /* NULL: of errors {"detail": text}; else none that JSON Schema describes */
    const char *media;     /* NULL: application/json */
    unsigned headers;
} DocAnswer;

/* A call and its answer, both whole. */
typedef struct DocExample {
    const char *name; /* NULL ends a list; unique among the route's */
    const char *summary;
    int status;
    const char *call;    /* path and query; NULL: the route's path with the examples of its parameters */
    const char *send;    /* JSON, or NULL */
    const char *answer;  /* JSON; or one of these: */
    const char *detail;  /* {"detail": text} */
    const char *refused; /* {"detail": {"id", "status", "mensaje": text}}, of DOC_ID */
    const char *query;   /* 422 {"detail": [{"loc": ["query", …]…}]}: which parameter; `detail` is the message and `kind` the type */
    const char *kind;
} DocExample;

typedef struct RouteDoc {
    RouteHandler handler;       /* whose route it is; NULL ends a list */
    const char *id;             /* operationId */
    const char *summary, *help; /* help may be NULL */
    const DocField *path;       /* one for each {}, in order */
    const DocField *query;
    const DocField *headers;    /* of the call */
    const DocSchema *body;
    const DocAnswer *answers;
    const DocExample *examples;
} RouteDoc;

typedef struct DocGroup {
    const char *tag, *help;
    const RouteDoc *docs;
} DocGroup;

extern const DocGroup docs_service;   /* docs_service.c */
extern const DocGroup docs_requests;  /* docs_requests.c */
extern const DocGroup docs_delivery;  /* docs_delivery.c */
extern const DocGroup docs_destinations; /* docs_destinations.c */
extern const DocGroup docs_access;    /* docs_access.c */
extern const DocGroup docs_operators; /* docs_operators.c */

/* All of them, NULL-terminated, in the order of the file. */
extern const DocGroup *const route_docs[];
/* The row of a route, and its group's tag; NULL: nobody wrote one. */
const RouteDoc *route_doc(const Route *route, const char **ret_tag);

/* 400 {"detail": {"id", "status", "mensaje"}} */
extern const DocSchema doc_refused;
/* {"detail": text}, and of 422 */
extern const DocSchema doc_error, doc_malformed;
/* {id} of a request */
extern const DocField doc_request_id[];

/* ---- for rows ---- */

/* The request that examples are about, and its address. */
#define DOC_ID "modis-2026-07"
#define DOC_EMAIL "ana@example.org"

#define JSON(...) #__VA_ARGS__
#define DOC_FIELDS(...) ((const DocField[]) { __VA_ARGS__, { .name = NULL } })
#define DOC_ANSWERS(...) ((const DocAnswer[]) { __VA_ARGS__, { .status = 0 } })
#define DOC_EXAMPLES(...) ((const DocExample[]) { __VA_ARGS__, { .name = NULL } })

#define FIELD_TEXT(n, h, ...) { .name = (n), .type = DOC_TEXT, .help = (h), ##__VA_ARGS__ }
#define FIELD_TEXTS(n, h, ...) { .name = (n), .type = DOC_TEXTS, .help = (h), ##__VA_ARGS__ }
#define FIELD_INTEGER(n, h, ...) { .name = (n), .type = DOC_INTEGER, .help = (h), ##__VA_ARGS__ }
#define FIELD_NUMBER(n, h, ...) { .name = (n), .type = DOC_NUMBER, .help = (h), ##__VA_ARGS__ }
#define FIELD_BOOLEAN(n, h, ...) { .name = (n), .type = DOC_BOOLEAN, .help = (h), ##__VA_ARGS__ }
#define FIELD_TIME(n, h, ...) { .name = (n), .type = DOC_TIME, .help = (h), ##__VA_ARGS__ }
#define FIELD_OBJECT(n, s, h, ...) { .name = (n), .type = DOC_OBJECT, .schema = (s), .help = (h), ##__VA_ARGS__ }
#define FIELD_LIST(n, s, h, ...) { .name = (n), .type = DOC_LIST, .schema = (s), .help = (h), ##__VA_ARGS__ }
