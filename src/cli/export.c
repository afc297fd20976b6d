/* One upload as the service describes it, from JSON to words. What is asked of the service, and when, is the verbs' business. */
#include "cli/export.h"

#include "basic/strings.h"
#include "cli/answer.h"
#include "cli/service.h"
#include "cli/text.h"
#include "model/export_state.h"

char *export_path(const char *id, const char *rest, ExitCode *ret_code) {
    char *path;

    _cleanup_free_ char *request = request_path(id, rest, ret_code);
    if (!request)
        return NULL;
    if (asprintf(&path, "/api/jobs%s", request + strlen("/tmpftp")) >= 0)
        return path;
    complain("Sin memoria");
    *ret_code = EXIT_LOCAL;
    return NULL;
}

ExitCode export_get(const Args *args, Client *client, const char *id, const char *rest, Reply *ret) {
    ExitCode code;

    _cleanup_free_ char *path = export_path(id, rest, &code);
    return path ? service_ask(args, client, "GET", path, NULL, ret) : code;
}

bool export_progress(const json_t *export, Progress *ret) {
    return answer_progress(json_object_get(export, "progress"), ret);
}

void export_print_amount(const json_t *export) {
    json_int_t files = json_integer_value(json_object_get(export, "files"));
    char bytes[TEXT_FIGURE_SIZE];

    text_bytes((uint64_t) json_integer_value(json_object_get(export, "bytes")), bytes);
    printf("%" JSON_INTEGER_FORMAT " %s, %s", files, files == 1 ? "archivo" : "archivos", bytes);
}

/* "socio (sftp): listo, 3 archivos, 1,2 MB", "socio (sftp): error — Ingreso: …" */
static void print_line(const json_t *export) {
    const char *state = json_text(export, "status"), *message = json_text(export, "message");
    char label[TEXT_FIGURE_SIZE];
    Progress progress;

    snprintf(label, sizeof(label), "Envío %" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(export, "n")));
    text_label(stdout, label);
    text_print(stdout, json_text(export, "destination_name"));
    fputs(" (", stdout);
    text_print(stdout, json_text(export, "type"));
    fputs("): ", stdout);
    text_print(stdout, state);
    if (streq_null(state, export_state_name(EXPORT_LISTO))) {
        fputs(", ", stdout);
        export_print_amount(export);
    } else if (export_progress(export, &progress)) {
        fputs("  ", stdout);
        answer_print_progress(&progress);
    } else if (message) {
        fputs(" — ", stdout);
        text_print(stdout, message);
    }
    fputc('\n', stdout);
}

void export_print_lines(const json_t *exports) {
    for (size_t i = 0; i < json_array_size(exports); i++)
        print_line(json_array_get(exports, i));
}
