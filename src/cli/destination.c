/* Finds a destination: a number is asked for, a name is looked for in the list. What is done with it is the verbs' business. */
#include "cli/destination.h"

#include "basic/strings.h"
#include "cli/service.h"

#include <inttypes.h>

#define PAGE 1000

static ExitCode by_number(Client *client, uint64_t number, json_t **ret) {
    _cleanup_reply_ Reply reply = {};
    char path[64];

    snprintf(path, sizeof(path), "/api/destinations/%" PRIu64, number);
    ExitCode code = service_call(client, "GET", path, NULL, &reply);
    if (code == EXIT_OK)
        code = service_judge(&reply);
    if (code == EXIT_OK)
        *ret = json_incref(reply.json);
    return code;
}

static json_t *find_name(const json_t *rows, const char *name) {
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        if (streq_null(json_text(row, "name"), name))
            return row;
    }
    return NULL;
}

static ExitCode by_name(Client *client, const char *name, json_t **ret) {
    size_t n = PAGE;

    for (size_t offset = 0; n == PAGE; offset += PAGE) {
        _cleanup_reply_ Reply reply = {};
        char path[96];
        snprintf(path, sizeof(path), "/api/destinations?limit=%d&offset=%zu", PAGE, offset);
        ExitCode code = service_call(client, "GET", path, NULL, &reply);
        if (code == EXIT_OK)
            code = service_judge(&reply);
        if (code != EXIT_OK)
            return code;
        const json_t *rows = json_object_get(reply.json, "destinations");
        json_t *found = find_name(rows, name);
        if (found) {
            *ret = json_incref(found);
            return EXIT_OK;
        }
        n = json_array_size(rows);
    }
    complain("No hay un destino '%s' (vea tempoftp destinos)", name);
    return EXIT_NOT_FOUND;
}

ExitCode destination_look_up(Client *client, const char *which, json_t **ret) {
    uint64_t number;

    return parse_u64(which, INT64_MAX, &number) >= 0 ? by_number(client, number, ret) : by_name(client, which, ret);
}

char *destination_path(const json_t *destination, const char *rest) {
    char *path;

    if (asprintf(&path, "/api/destinations/%" JSON_INTEGER_FORMAT "%s", json_integer_value(json_object_get(destination, "id")), rest) >= 0)
        return path;
    complain("Sin memoria");
    return NULL;
}
