/* Folders as text, quickly: getdents64 into one buffer, one fstatat a name, formatting by hand, text handed on in large pieces.
 *
 * It knows no paths, no sockets and no session; symbolic links are looked at, never followed, but for the size and type of a file that MLSD shows.
 * Memory does not grow with the folder. */
#include "ftpd/listing.h"

#include "basic/folder.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "ftpd/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define OUTPUT_SIZE 65536
#define PIECE_SIZE 16384 /* of a folder that is not sorted: so little that what the kernel has just read is in the processor's cache when we ask about it */
#define HALF_YEAR (182 * 86400)
#define ENTRIES_MAX (LISTING_SORT_SIZE / 24) /* the smallest record of getdents64 */

/* ---- facts ---- */

static const struct {
    Fact fact;
    const char *name;
} fact_names[] = {
    { FACT_TYPE, "type" }, { FACT_SIZE, "size" }, { FACT_MODIFY, "modify" }, { FACT_PERM, "perm" }, { FACT_UNIX_MODE, "UNIX.mode" },
};

void facts_text(unsigned facts, bool all, char ret[static FACTS_TEXT_MAX]) {
    size_t n = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < ELEMENTS(fact_names); i++) {
        bool chosen = facts & fact_names[i].fact;
        if (all || chosen)
            n += (size_t) snprintf(ret + n, FACTS_TEXT_MAX - n, "%s%s;", fact_names[i].name, all && chosen ? "*" : "");
    }
}

unsigned facts_parse(const char *text) {
    unsigned facts = 0;

    while (*text) {
        size_t n = strcspn(text, ";");
        for (size_t i = 0; i < ELEMENTS(fact_names); i++)
            if (strlen(fact_names[i].name) == n && strncasecmp(text, fact_names[i].name, n) == 0)
                facts |= fact_names[i].fact;
        text += n;
        text += strspn(text, ";");
    }
    return facts;
}

/* ---- text by hand: snprintf would be half of a listing's time ---- */

static char *put(char *p, const char *text) {
    size_t n = strlen(text);
    memcpy(p, text, n);
    return p + n;
}

static char *put_number(char *p, uint64_t value, size_t width, char fill) {
    char digits[20];
    size_t n = 0;

    do
        digits[n++] = (char) ('0' + value % 10);
    while ((value /= 10) > 0);
    for (size_t i = n; i < width; i++)
        *p++ = fill;
    while (n > 0)
        *p++ = digits[--n];
    return p;
}

typedef struct CivilTime {
    unsigned year, month, day, hour, minute, second; /* month from 1 */
} CivilTime;

/* The proleptic Gregorian calendar, days counted in eras of 400 years that begin on 1 March. */
static CivilTime civil_time(int64_t utc) {
    const int64_t first = -62135596800, last = 253402300799; /* the years 1 to 9999 */
    utc = utc < first ? first : utc > last ? last : utc;

    uint64_t since = (uint64_t) (utc - first);
    unsigned days = (unsigned) (since / 86400) + 306, left = (unsigned) (since % 86400);
    unsigned era = days / 146097, day_of_era = days % 146097;
    unsigned year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    unsigned shifted = (5 * day_of_year + 2) / 153; /* 0 is March */

    CivilTime t = {
        .month = shifted < 10 ? shifted + 3 : shifted - 9,
        .day = day_of_year - (153 * shifted + 2) / 5 + 1,
        .hour = left / 3600,
        .minute = left / 60 % 60,
        .second = left % 60,
    };
    t.year = year + era * 400 + (t.month <= 2);
    return t;
}

static char *put_modify(char *p, int64_t utc) {
    CivilTime t = civil_time(utc);
    unsigned parts[] = { t.month, t.day, t.hour, t.minute, t.second };

    p = put_number(p, t.year, 4, '0');
    for (size_t i = 0; i < ELEMENTS(parts); i++)
        p = put_number(p, parts[i], 2, '0');
    return p;
}

/* "Nov 21 11:30", or "Nov 21  2019" when it is not of the last six months. */
static char *put_list_date(char *p, int64_t utc, int64_t now) {
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    CivilTime t = civil_time(utc);

    p = put(p, months[t.month - 1]);
    *p++ = ' ';
    p = put_number(p, t.day, 2, ' ');
    *p++ = ' ';
    if (utc > now - HALF_YEAR && utc <= now + 86400) {
        p = put_number(p, t.hour, 2, '0');
        *p++ = ':';
        return put_number(p, t.minute, 2, '0');
    }
    return put_number(p, t.year, 5, ' ');
}

static char *put_mode(char *p, mode_t mode) {
    *p++ = S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : '-';
    for (int shift = 8; shift >= 0; shift--)
        *p++ = mode & (1U << shift) ? "xwr"[shift % 3] : '-';
    return p;
}

void listing_time(int64_t utc, char ret[static TIME_VALUE_SIZE]) {
    *put_modify(ret, utc) = '\0';
}

static const char *perm(const struct stat *st, ListingRights rights) {
    static const char *const of_folders[] = { "perm=el;", "perm=celmp;", "perm=cdeflmp;" }, *const of_files[] = { "perm=r;", "perm=r;", "perm=adfrw;" };
    return S_ISDIR(st->st_mode) ? of_folders[rights] : of_files[rights];
}

size_t listing_facts(unsigned facts, const struct stat *st, ListingRights rights, char *ret) {
    char *p = ret;

    if (facts & FACT_TYPE)
        p = put(p, S_ISDIR(st->st_mode) ? "type=dir;" : S_ISLNK(st->st_mode) ? "type=OS.unix=symlink;" : "type=file;");
    if (facts & FACT_SIZE && S_ISREG(st->st_mode)) {
        p = put_number(put(p, "size="), (uint64_t) st->st_size, 0, ' ');
        *p++ = ';';
    }
    if (facts & FACT_MODIFY) {
        p = put_modify(put(p, "modify="), st->st_mtime);
        *p++ = ';';
    }
    if (facts & FACT_PERM)
        p = put(p, perm(st, rights));
    if (facts & FACT_UNIX_MODE) {
        p = put(p, "UNIX.mode=0");
        for (int shift = 6; shift >= 0; shift -= 3)
            *p++ = (char) ('0' + ((st->st_mode >> shift) & 7));
        *p++ = ';';
    }
    *p++ = ' ';
    return (size_t) (p - ret);
}

size_t listing_entry(const Listing *l, const char *name, const struct stat *st, const char *target,
                     char ret[static LISTING_ENTRY_MAX]) {
    char *p = ret;

    if (l->format == LISTING_FACTS)
        p += listing_facts(l->facts, st, l->rights, ret);
    else if (l->format == LISTING_LONG) {
        p = put_mode(p, st->st_mode);
        *p++ = ' ';
        p = put_number(p, st->st_nlink, 4, ' ');
        p = put(p, " ftp      ftp      ");
        p = put_number(p, (uint64_t) st->st_size, 12, ' ');
        *p++ = ' ';
        p = put_list_date(p, st->st_mtime, l->now);
        *p++ = ' ';
    } else if (l->prefix)
        p = put(p, l->prefix);
    p = put(p, name);
    if (l->format == LISTING_LONG && target) {
        p = put(p, " -> ");
        p = put(p, target);
    }
    p = put(p, "\r\n");
    return (size_t) (p - ret);
}

/* ---- a folder ---- */

typedef struct Walk {
    const Listing *l;
    int fd;
    size_t used;
    char names[LISTING_SORT_SIZE];
    char output[OUTPUT_SIZE];
    const struct dirent64_record *sorted[ENTRIES_MAX];
} Walk;

static int flush(Walk *w) {
    int r = w->used > 0 ? w->l->write(w->l->userdata, w->output, w->used) : 0;
    w->used = 0;
    return r;
}

static bool is_shown(const Listing *l, const char *name) {
    if (streq(name, ".") || streq(name, "..") || strpbrk(name, "\r\n"))
        return false;
    return !l->pattern || glob_match(l->pattern, name);
}

/* MLSD has no way to say where a link leads: a link to a file within the home is shown as that file. */
static void look_through(const Listing *l, const char *name, struct stat *st) {
    char path[VIRTUAL_PATH_MAX];
    struct stat target;

    if (l->home_fd < 0 || snprintf(path, sizeof(path), "%s/%s", l->folder, name) >= (int) sizeof(path))
        return;
    _cleanup_close_ int fd = path_open(l->home_fd, path, O_PATH);
    if (fd >= 0 && fstat(fd, &target) >= 0 && S_ISREG(target.st_mode))
        *st = target;
}

static int add_entry(Walk *w, const struct dirent64_record *e) {
    const Listing *l = w->l;
    struct stat st = { 0 };
    char target[VIRTUAL_PATH_MAX];
    bool has_target = false;

    if (!is_shown(l, e->name))
        return 0;
    if (l->format != LISTING_NAMES || e->type == DT_UNKNOWN) {
        if (fstatat(w->fd, e->name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
            return errno == ENOENT || errno == EACCES ? 0 : -errno; /* gone since, or not for these eyes */
    } else
        st.st_mode = DTTOIF(e->type);
    if (S_ISLNK(st.st_mode) && l->format == LISTING_LONG) {
        ssize_t n = readlinkat(w->fd, e->name, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        has_target = n > 0 && !strpbrk(target, "\r\n");
    } else if (S_ISLNK(st.st_mode) && l->format == LISTING_FACTS)
        look_through(l, e->name, &st);
    else if (!S_ISLNK(st.st_mode) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return 0;

    if (w->used + LISTING_ENTRY_MAX > sizeof(w->output)) {
        int r = flush(w);
        if (r < 0)
            return r;
    }
    w->used += listing_entry(l, e->name, &st, has_target ? target : NULL, w->output + w->used);
    return l->see ? l->see(l->userdata, e->name, st.st_mode) : 0;
}

static int by_name(const void *a, const void *b) {
    const struct dirent64_record *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int add_entries(Walk *w, size_t size, bool sort) {
    size_t n = 0;
    int r = 0;

    for (size_t at = 0; at < size && n < ENTRIES_MAX;) {
        const struct dirent64_record *e = (const void *) (w->names + at);
        w->sorted[n++] = e;
        at += e->length;
    }
    if (sort)
        qsort(w->sorted, n, sizeof(w->sorted[0]), by_name);
    for (size_t i = 0; i < n && r >= 0; i++)
        r = add_entry(w, w->sorted[i]);
    return r;
}

int listing_folder(const Listing *l, int folder_fd) {
    _cleanup_free_ Walk *w = malloc(sizeof(Walk));
    if (!w)
        return -ENOMEM;
    w->l = l;
    w->fd = folder_fd;
    w->used = 0;

    /* Does the whole folder fit? The kernel stops before a buffer is full, so ask until it says that it has no more, or no room. */
    size_t size = 0;
    ssize_t n;
    while ((n = folder_read(w->fd, w->names + size, sizeof(w->names) - size)) > 0)
        size += (size_t) n;
    bool sort = n == 0;
    if (n < 0 && n != -EINVAL) /* -EINVAL: the next name doesn't fit any more */
        return (int) n;
    int r = add_entries(w, size, sort);
    while (r >= 0 && !sort && (n = folder_read(w->fd, w->names, PIECE_SIZE)) != 0)
        r = n < 0 ? (int) n : add_entries(w, (size_t) n, false);
    return r < 0 ? r : flush(w);
}
