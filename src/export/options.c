/* Reads the command line. Pure: bytes in, values out. */
#include "export/options.h"

#include "basic/strings.h"
#include "export/upload.h"
#include "model/request.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>

enum { OPTION_INTERNAL = 256, OPTION_TEXT, OPTION_NUMBER };

static const struct option long_options[] = {
    { "id", required_argument, NULL, OPTION_TEXT },
    { "folder", required_argument, NULL, OPTION_TEXT },
    { "life", required_argument, NULL, OPTION_NUMBER },
    { "number", required_argument, NULL, OPTION_NUMBER },
    { "connections", required_argument, NULL, OPTION_NUMBER },
    { "retries", required_argument, NULL, OPTION_NUMBER },
    { "retry-seconds", required_argument, NULL, OPTION_NUMBER },
    { "ftp-seconds", required_argument, NULL, OPTION_NUMBER },
    { "sftp-seconds", required_argument, NULL, OPTION_NUMBER },
    { "answer-seconds", required_argument, NULL, OPTION_NUMBER },
    { "internal", no_argument, NULL, OPTION_INTERNAL },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

/* Where the values of the first rows above go, and how large a number may be. */
static const struct {
    size_t offset;
    uint64_t min, max;
} rows[] = {
    { offsetof(Options, id), 0, 0 },
    { offsetof(Options, folder), 0, 0 },
    { offsetof(Options, life), 1, INT64_MAX },
    { offsetof(Options, number), 1, UINT32_MAX },
    { offsetof(Options, connections), 1, CONNECTIONS_MAX },
    { offsetof(Options, retries), 0, 10 },
    { offsetof(Options, retry_seconds), 1, 600 },
    { offsetof(Options, ftp_seconds), 1, 600 },
    { offsetof(Options, sftp_seconds), 1, 600 },
    { offsetof(Options, answer_seconds), 1, 3600 },
};

static int refuse(const char **ret_error, const char *error) {
    *ret_error = error;
    return -EINVAL;
}

static int take_number(Options *o, int row, const char *text) {
    uint64_t *number = (uint64_t *) ((char *) o + rows[row].offset);
    return parse_u64(text, rows[row].max, number) < 0 || *number < rows[row].min ? -EINVAL : 0;
}

static int check(const Options *o, const char **ret_error) {
    if (!o->id || !o->folder || o->life == 0 || o->number == 0 || o->connections == 0 || o->retry_seconds == 0 || o->ftp_seconds == 0 || o->sftp_seconds == 0 ||
        o->answer_seconds == 0)
        return refuse(ret_error, "all options but --internal are needed");
    if (!id_is_valid(o->id))
        return refuse(ret_error, "--id is no id of a request");
    return o->folder[0] == '/' ? 0 : refuse(ret_error, "--folder begins with '/'");
}

int options_parse(int argc, char **argv, Options *ret, const char **ret_error) {
    Options o = { 0 };
    int c, row;

    optind = 0; /* begin anew: tests call this many times */
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", long_options, &row)) >= 0) {
        if (c == OPTION_TEXT)
            *(const char **) ((char *) &o + rows[row].offset) = optarg;
        else if (c == OPTION_NUMBER && take_number(&o, row, optarg) >= 0)
            continue;
        else if (c == OPTION_INTERNAL)
            o.internal = true;
        else if (c == 'h' || c == 'V')
            o.verb = c == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
        else
            return refuse(ret_error, c == OPTION_NUMBER ? "a number is too large, too small, or none" : "unknown option, or one without its value");
    }
    if (o.verb == OPTIONS_HELP || o.verb == OPTIONS_VERSION) {
        *ret = o;
        return 0;
    }
    if (optind + 1 != argc || (!streq(argv[optind], "upload") && !streq(argv[optind], "test")))
        return refuse(ret_error, "what is to be done: upload or test");
    o.verb = streq(argv[optind], "test") ? OPTIONS_TEST : OPTIONS_UPLOAD;
    if (o.verb == OPTIONS_UPLOAD) {
        int r = check(&o, ret_error);
        if (r < 0)
            return r;
    }
    *ret = o;
    return 0;
}
