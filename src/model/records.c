/* Walks and writes NUL-ended "key=value" records. What the keys mean is not known here. */
#include "model/records.h"

#include <string.h>

int records_walk(char *bytes, size_t size, RecordWalk walk, void *userdata) {
    if (size > 0 && bytes[size - 1] != '\0')
        return -EBADMSG;
    for (size_t at = 0; at < size; at += strlen(bytes + at) + 1) {
        char *equals = strchr(bytes + at, '=');
        if (!equals || equals == bytes + at)
            return -EBADMSG;
        *equals = '\0';
        int r = walk(bytes + at, equals + 1, userdata);
        *equals = '=';
        if (r != 0)
            return r;
    }
    return 0;
}

void record_add(RecordWriter *w, const char *key, const char *value) {
    size_t keys = strlen(key), values = value ? strlen(value) : 0;

    if (!value || w->error < 0)
        return;
    if (w->size - w->used < keys + values + 2) {
        w->error = -E2BIG;
        return;
    }
    memcpy(w->to + w->used, key, keys);
    w->to[w->used + keys] = '=';
    memcpy(w->to + w->used + keys + 1, value, values + 1);
    w->used += keys + values + 2;
}
