/* Reads the worker's command line. The broker has judged every value; here only the form is looked at.
 *
 * Pure: bytes in, values out. */
#include "transfer/options.h"

#include "basic/strings.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>

enum { OPTION_FLAG = 256, OPTION_ADDRESS, OPTION_TEXT };

static const struct option long_options[] = {
    { "id", required_argument, NULL, OPTION_TEXT },
    { "user", required_argument, NULL, OPTION_TEXT },
    { "host", required_argument, NULL, OPTION_TEXT },
    { "path", required_argument, NULL, OPTION_TEXT },
    { "data", required_argument, NULL, OPTION_TEXT },
    { "staging", required_argument, NULL, OPTION_TEXT },
    { "address", required_argument, NULL, OPTION_ADDRESS },
    { "best-effort-jail", no_argument, NULL, OPTION_FLAG },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

/* Where the texts of the first rows above go. */
static const size_t texts[] = {
    offsetof(Options, id),   offsetof(Options, user), offsetof(Options, host),
    offsetof(Options, path), offsetof(Options, data), offsetof(Options, staging),
};

static int refuse(const char **ret_error, const char *error) {
    *ret_error = error;
    return -EINVAL;
}

static int check(const Options *o, const char **ret_error) {
    for (size_t i = 0; i < ELEMENTS(texts); i++)
        if (is_blank(*(const char *const *) ((const char *) o + texts[i])))
            return refuse(ret_error, "--id, --user, --host, --path, --data and --staging are needed");
    if (!o->addresses[0])
        return refuse(ret_error, "--address is needed");
    if (o->path[0] != '/' || o->data[0] != '/')
        return refuse(ret_error, "--path and --data begin with '/'");
    if (o->staging[0] == '/' || path_climbs(o->staging))
        return refuse(ret_error, "--staging is a folder below the data path");
    if (o->user[0] == '-' || o->host[0] == '-')
        return refuse(ret_error, "--user and --host do not begin with '-'");
    return 0;
}

int options_parse(int argc, char **argv, Options *ret, const char **ret_error) {
    Options o = { 0 };
    size_t n = 0;
    int c, row;

    optind = 0; /* begin anew: tests call this many times */
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", long_options, &row)) >= 0) {
        if (c == OPTION_TEXT)
            *(const char **) ((char *) &o + texts[row]) = optarg;
        else if (c == OPTION_ADDRESS && n < ADDRESSES_MAX)
            o.addresses[n++] = optarg;
        else if (c == OPTION_FLAG)
            o.best_effort_jail = true;
        else if (c == 'h')
            o.say_help = true;
        else if (c == 'V')
            o.say_version = true;
        else
            return refuse(ret_error, c == OPTION_ADDRESS ? "too many addresses" : "unknown option, or one without its value");
    }
    if (optind != argc)
        return refuse(ret_error, "there is something behind the options");
    if (!o.say_help && !o.say_version) {
        int r = check(&o, ret_error);
        if (r < 0)
            return r;
    }
    *ret = o;
    return 0;
}
