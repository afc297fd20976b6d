/* The command line of a service: nothing but --help and --version. What the service does is not known here. */
#include "basic/service_arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

int service_arguments(int argc, char **argv, const char *name, const char *purpose) {
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    int c = getopt_long(argc, argv, "hV", options, NULL);

    if (c == 'h')
        printf("%s\n\n%s:\nsee %s(8).\n\n  -h --help\n  -V --version\n", name, purpose, name);
    else if (c == 'V')
        printf("%s %s\n", name, TEMPOFTP_VERSION);
    else if (c == -1 && optind < argc)
        fprintf(stderr, "%s: unexpected argument '%s', see --help\n", name, argv[optind]);
    return c == 'h' || c == 'V' ? 1 : c == -1 && optind == argc ? 0 : -EINVAL;
}
