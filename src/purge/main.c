/* tempoftp-purge: removes what people put into a drop folder, as the user whose files they are. Started by the broker, in a sandbox of its own. */
#include "basic/log.h"
#include "purge/remove.h"

#include <string.h>
#include <syslog.h>

int main(int argc, char **argv) {
    uint64_t entries;

    log_open_stream("tempoftp-purge", LOG_INFO);
    if (argc != 2 || argv[1][0] != '/') {
        log_error("Usage: tempoftp-purge FOLDER (an absolute path). Started by tempoftp-broker(8), not by hand");
        return 2;
    }
    int r = remove_tree(argv[1], &entries);
    if (r < 0) {
        log_error("Removed %llu files and folders of %s, not all: %s", (unsigned long long) entries, argv[1], strerror(-r));
        return EXIT_FAILURE;
    }
    log_info("Removed %s: %llu files and folders", argv[1], (unsigned long long) entries);
    return EXIT_SUCCESS;
}
