/* A request's files, over several connections, to where they belong. */
#pragma once

#include "export/plan.h"
#include "export/remote.h"

#define CONNECTIONS_MAX 16

typedef struct UploadSettings {
    unsigned connections;
    unsigned retries;       /* after the first try */
    unsigned pause_seconds; /* before the first of them, twice as long before each further one */
} UploadSettings;

/* Something worth a line in the request's log. From any thread. */
typedef void (*UploadNote)(const char *text, void *userdata);

typedef struct Upload Upload;
/* Borrows what it is given. */
int upload_new(const Line *line, const Source *source, const Delivered *delivered, Plan *plan, const UploadSettings *settings, UploadNote note, void *userdata,
               Upload **ret) _must_use_;
/* Until all is there. 0; -ECONNABORTED with *ret_failure; -ECANCELED, Flow.stop was set; -ENOMEM. Blocks. */
int upload_run(Upload *u, ExportFailure *ret_failure) _must_use_;
/* After a run that ended early: takes away what lies there under temporary names, as far as the connection lets it. Returns how many remain. */
size_t upload_clean(Upload *u);
Upload *upload_free(Upload *u);
DEFINE_CLEANUP(Upload, upload_free)

/* Seconds before try n (2, 3, …). */
unsigned upload_pause(const UploadSettings *s, unsigned try);
