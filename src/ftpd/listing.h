/* What LIST, NLST, MLSD and MLST say about files. LIST is the long format of ls(1), in UTC, that clients parse; MLSx is RFC 3659 section 7.
 *
 * Names with CR or LF can't be said on the wire and are left out, as is what is neither file, folder nor symbolic link. A folder whose names fit
 * LISTING_SORT_SIZE comes sorted by name, a larger one in the order of the disk, in constant memory. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define LISTING_SORT_SIZE 65536
#define LISTING_ENTRY_MAX 8704 /* one line, with names and targets of any length */

typedef enum ListingFormat { LISTING_LONG, LISTING_NAMES, LISTING_FACTS } ListingFormat;

typedef enum Fact {
    FACT_TYPE = 1 << 0,
    FACT_SIZE = 1 << 1,
    FACT_MODIFY = 1 << 2,
    FACT_PERM = 1 << 3,
    FACT_UNIX_MODE = 1 << 4,
} Fact;
#define FACTS_DEFAULT (FACT_TYPE | FACT_SIZE | FACT_MODIFY | FACT_PERM)
#define FACTS_TEXT_MAX 64

/* "type*;size*;modify*;perm*;UNIX.mode;" for FEAT: the chosen ones carry '*'. With all = false only the chosen ones, without '*' (OPTS). */
void facts_text(unsigned facts, bool all, char ret[static FACTS_TEXT_MAX]);
/* "Type;Size;" → bits; unknown names are ignored (RFC 3659 section 7.9). */
unsigned facts_parse(const char *text);

/* What the client may do with an entry: the perm fact. */
typedef enum ListingRights {
    LISTING_READ,
    LISTING_FILL,   /* a folder: put, remove and rename what is in it */
    LISTING_CHANGE, /* that, and change, remove and rename the entry itself */
} ListingRights;

typedef struct Listing {
    ListingFormat format;
    unsigned facts;
    int64_t now;         /* UTC: LIST shows the year instead of the time for files not of the last six months */
    ListingRights rights; /* of the entries */
    const char *prefix;  /* put before each name (NLST of a folder), or NULL */
    const char *pattern; /* only names that match, or NULL */
    int home_fd;         /* with folder: where MLSD finds what a symbolic link leads to; -EBADF: nowhere */
    const char *folder;  /* the virtual path of the folder */
    /* Takes the text in pieces; negative ends the listing. */
    int (*write)(void *userdata, const char *data, size_t size);
    /* Is told what is shown, or NULL; negative ends the listing. */
    int (*see)(void *userdata, const char *name, mode_t mode);
    void *userdata;
} Listing;

/* One entry; `target`: of a symbolic link, or NULL. Returns its length in ret. */
size_t listing_entry(const Listing *l, const char *name, const struct stat *st, const char *target,
                     char ret[static LISTING_ENTRY_MAX]);
/* "20261121113000", RFC 3659 section 2.3. */
#define TIME_VALUE_SIZE 15
void listing_time(int64_t utc, char ret[static TIME_VALUE_SIZE]);
/* The MLSx facts without name: "type=file;size=1; ". */
size_t listing_facts(unsigned facts, const struct stat *st, ListingRights rights, char *ret);
/* A whole folder. Negative errno of reading or of write(). */
int listing_folder(const Listing *l, int folder_fd) _must_use_;
