/* What each kind of transient unit is: its command line and the properties that differ from request to request.
 *
 * Everything that is the same for all units of a kind (sandbox, limits, credentials, slice) stands in
 * units/tempoftp-<kind>-.service.d/50-sandbox.conf, where an operator can read and change it. */
#include "broker/plan.h"

#include "basic/buffer.h"
#include "basic/strings.h"
#include "model/account.h"
#include "model/inner_address.h"
#include "model/paths.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define WORKER_USER "tempoftp-transfer"
#define EXPORT_USER "tempoftp-export"
#define EXPORT_PROGRAM TEMPOFTP_LIBEXECDIR "/tempoftp-export"
#define USEC_PER_SECOND 1000000ull
#define LIST(...) ((const char *const[]) { __VA_ARGS__, NULL })

static int refuse(const char **ret_reason, const char *reason) {
    *ret_reason = reason;
    return -EINVAL;
}

static int check_use(const char *id, uint64_t life, const char **ret_reason) {
    if (!id_is_valid(id))
        return refuse(ret_reason, "id");
    if (life == 0 || life > INT64_MAX)
        return refuse(ret_reason, "life");
    return 0;
}

/* What journalctl and systemctl can be asked for. */
static void add_fields(TransientUnit *u, const char *id, uint64_t life) {
    char request[sizeof("TEMPOFTP_ID=") + ID_MAX], number[sizeof("TEMPOFTP_LIFE=") + 20];

    snprintf(request, sizeof(request), "TEMPOFTP_ID=%s", id);
    snprintf(number, sizeof(number), "TEMPOFTP_LIFE=%" PRIu64, life);
    transient_list(u, "LogExtraFields", PROPERTY_FIELDS, LIST(request, number));
}

/* Two units that report how this one ended: one unit for both outcomes would be told nothing (systemd.exec(5), $MONITOR_…). */
static void add_reports(TransientUnit *u, UnitKind kind, const char *unit_id, uint64_t life, uint32_t run) {
    char name[UNIT_NAME_SIZE];

    report_unit_name_make(false, kind, life, run, unit_id, name);
    transient_list(u, "OnSuccess", PROPERTY_LIST, LIST(name));
    report_unit_name_make(true, kind, life, run, unit_id, name);
    transient_list(u, "OnFailure", PROPERTY_LIST, LIST(name));
}

/* Common to all that work on data. AddRef: a failed unit stays until we have read why; CollectMode: but no longer, or it would block its name. */
static void start_unit(TransientUnit *u, const Settings *s, UnitKind kind, const char *unit_id, const char *type, const char *user) {
    char name[UNIT_NAME_SIZE], gid[16];

    unit_name_make(kind, unit_id, false, name);
    transient_init(u, name);
    snprintf(gid, sizeof(gid), "%" PRIu32, s->ftp_gid);
    transient_text(u, "Type", PROPERTY_TEXT, type);
    transient_bool(u, "AddRef", true);
    transient_text(u, "CollectMode", PROPERTY_TEXT, "inactive-or-failed");
    if (user)
        transient_text(u, "User", PROPERTY_TEXT, user);
    transient_text(u, "Group", PROPERTY_TEXT, gid);
}

/* Of a request. Type=exec: a start that fails before the program runs (user, name spaces) is a failed job. */
static void start_worker(TransientUnit *u, const Settings *s, UnitKind kind, const char *unit_id, const char *user, const char *id, uint64_t life,
                         uint32_t run) {
    start_unit(u, s, kind, unit_id, "exec", user);
    add_fields(u, id, life);
    add_reports(u, kind, unit_id, life, run);
}

static void describe(TransientUnit *u, const char *format, ...) _printf_(2, 3);
static void describe(TransientUnit *u, const char *format, ...) {
    _cleanup_free_ char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    if (text)
        transient_text(u, "Description", PROPERTY_TEXT, text);
    else
        u->error = -ENOMEM;
}

/* A plan that is whole goes out; anything else is taken down. */
static int finish(TransientUnit *u, TransientUnit *ret) {
    int r = u->error;
    if (r < 0)
        transient_done(u);
    else
        *ret = *u;
    return r;
}

static int check_addresses(char *const *addresses, const char **ret_reason) {
    size_t n = 0;

    while (addresses && addresses[n])
        n++;
    if (n == 0 || n > PLAN_ADDRESSES_MAX)
        return refuse(ret_reason, "addresses");
    return 0;
}

static int check_token(const char *token, const char **ret_reason) {
    uint8_t bytes[16];
    int r = hex_decode(token, bytes, sizeof(bytes));

    wipe(bytes, sizeof(bytes));
    return r < 0 ? refuse(ret_reason, "token") : 0;
}

#define WORKER_ARGUMENTS_MAX (20 + 2 * PLAN_ADDRESSES_MAX)

/* Each value is an argument of its own behind its option: none can be taken for another option, and there is no shell. */
static void add_worker_command(TransientUnit *u, const Settings *s, const char *id, uint64_t life, const Ruta *source, const char *path,
                               char *const *addresses) {
    const char *argv[WORKER_ARGUMENTS_MAX] = {
        TEMPOFTP_LIBEXECDIR "/tempoftp-transfer",
        "--id", id,
        "--user", source->user ? source->user : s->ssh_user,
        "--host", source->host,
        "--path", path,
        "--data", s->data_path,
    };
    char staging[REL_PATH_SIZE];
    size_t n = 11;

    path_staging(id, life, staging);
    argv[n++] = "--staging";
    argv[n++] = staging;
    if (s->ftp_jail == JAIL_BEST_EFFORT)
        argv[n++] = "--best-effort-jail";
    for (; *addresses; addresses++) {
        argv[n++] = "--address";
        argv[n++] = *addresses;
    }
    transient_list(u, "ExecStart", PROPERTY_COMMAND, argv);
}

int plan_transfer(const Settings *s, const char *id, uint64_t life, uint32_t run, const char *ruta, char *const *addresses, const char *token,
                  TransientUnit *ret, const char **ret_reason) {
    _cleanup_ruta_ Ruta source = { 0 };
    _cleanup_free_ char *path = NULL;
    const char *reason;
    TransientUnit u;
    int r;

    if ((r = check_use(id, life, ret_reason)) < 0 || (r = check_addresses(addresses, ret_reason)) < 0 || (r = check_token(token, ret_reason)) < 0)
        return r;
    r = ruta_parse(ruta, &source, &reason);
    if (r == -EINVAL)
        return refuse(ret_reason, "ruta");
    if (r < 0)
        return r;
    if (!origin_is_allowed(s->origins, source.host))
        return refuse(ret_reason, "ruta: TEMPOFTP_ORIGENES does not have its host");
    path = ruta_source_path(&source, id);
    if (!path)
        return -ENOMEM;

    start_worker(&u, s, UNIT_TRANSFER, id, WORKER_USER, id, life, run);
    transient_list(&u, "BindPaths", PROPERTY_BINDS, LIST(s->data_path));
    describe(&u, "tempoftp: copy of %s for %s", ruta, id);
    add_worker_command(&u, s, id, life, &source, path, addresses);
    /* No credential: systemd 252 fetches those over a socket whose name has to hold the unit's, and the longest ids don't fit. */
    transient_text(&u, "StandardInputFileDescriptor", PROPERTY_INPUT, token);
    transient_list(&u, "IPAddressAllow", PROPERTY_ADDRESSES, (const char *const *) addresses);
    if (u.error == -EINVAL)
        *ret_reason = "addresses";
    return finish(&u, ret);
}

/* Only its owner may remove what stands in another's folder. What was copied is the workers'. What people put into a drop folder belongs to the FTP
 * server's user, and may have modes that rm(1) does not get past. */
int plan_purge(const Settings *s, UnitKind kind, const char *id, uint64_t life, uint32_t run, TransientUnit *ret, const char **ret_reason) {
    _cleanup_free_ char *folder = NULL;
    char relative[REL_PATH_SIZE], uid[16];
    bool drop = kind == UNIT_DROP;
    TransientUnit u;
    int r;

    r = check_use(id, life, ret_reason);
    if (r < 0)
        return r;
    (drop ? path_drop_purge : path_purge)(id, life, relative);
    if (asprintf(&folder, "%s/%s", s->data_path, relative) < 0) {
        folder = NULL;
        return -ENOMEM;
    }
    snprintf(uid, sizeof(uid), "%" PRIu32, s->ftp_uid);
    start_worker(&u, s, kind, id, drop ? uid : WORKER_USER, id, life, run);
    transient_list(&u, "BindPaths", PROPERTY_BINDS, LIST(s->data_path));
    describe(&u, "tempoftp: removes %s of %s", drop ? "what was put into the drop folder" : "the data", id);
    const char *const by_hand[] = { TEMPOFTP_LIBEXECDIR "/tempoftp-purge", folder, NULL };
    const char *const by_rm[] = { "/bin/rm", "-rf", "--one-file-system", "--", folder, NULL };
    transient_list(&u, "ExecStart", PROPERTY_COMMAND, drop ? by_hand : by_rm);
    return finish(&u, ret);
}

/* Account and id by turns into argv, which has room for PLAN_WHOSE_MAX pairs and the end. */
static int add_whose(const char **argv, char *const *whose, const char **ret_reason) {
    size_t n = 0;

    for (; whose && whose[n]; n += 2) {
        if (n == (size_t) 2 * PLAN_WHOSE_MAX)
            return refuse(ret_reason, "whose: too many");
        if (!account_name_is_valid(whose[n]))
            return refuse(ret_reason, "account");
        if (!whose[n + 1] || (whose[n + 1][0] && !id_is_valid(whose[n + 1])))
            return refuse(ret_reason, "id");
        argv[n] = whose[n];
        argv[n + 1] = whose[n + 1][0] ? whose[n + 1] : "-"; /* no id */
    }
    return n > 0 ? 0 : refuse(ret_reason, "whose: nobody");
}

/* One unit for each verb, so that calls take turns. Type=oneshot: its job is done when it has ended, and failed when it failed. uid 0 without its
 * capabilities but the two that the unit's file leaves it; the group may enter the data path. */
int plan_sessions(const Settings *s, const SessionsOrder *order, TransientUnit *ret, const char **ret_reason) {
    static const char *const verbs[] = { [SESSIONS_LIST] = "list", [SESSIONS_END] = "end", [SESSIONS_END_PROCESS] = "end-process" };
    const char *verb = verbs[order->verb];
    const char *argv[4 + 2 * PLAN_WHOSE_MAX + 1] = { TEMPOFTP_LIBEXECDIR "/tempoftp-pureftpd", verb, s->pureftpd_program, s->data_path };
    char process[16];
    TransientUnit u;
    int r = 0;

    snprintf(process, sizeof(process), "%" PRIu32, order->pid);
    if (order->verb == SESSIONS_END)
        r = add_whose(argv + 4, order->whose, ret_reason);
    else if (order->verb == SESSIONS_END_PROCESS) {
        if (order->pid == 0 || order->pid > INT32_MAX)
            return refuse(ret_reason, "pid");
        argv[4] = process;
    }
    if (r < 0)
        return r;
    start_unit(&u, s, UNIT_SESSIONS, verb, "oneshot", NULL);
    describe(&u, "tempoftp: sessions of Pure-FTPd (%s)", verb);
    transient_number(&u, "StandardOutputFileDescriptor", PROPERTY_FD, (uint64_t) order->output);
    transient_list(&u, "ExecStart", PROPERTY_COMMAND, argv);
    return finish(&u, ret);
}

/* Literal, and none that leads to this machine unless root's settings let it. The worker asks again of each connection, and knows the machine's own
 * addresses, which are out of the broker's sight. */
static int check_destination(const Settings *s, char *const *addresses, const char **ret_reason) {
    int r = check_addresses(addresses, ret_reason);

    for (; r >= 0 && *addresses; addresses++) {
        InetAddress a;
        if (inet_address_parse(*addresses, &a) < 0)
            return refuse(ret_reason, "addresses");
        if (!s->export_internal && inet_address_is_inner(&a, NULL, 0))
            return refuse(ret_reason, "addresses: TEMPOFTP_EXPORT_INTERNAL does not allow this one");
    }
    return r;
}

/* What it sends, and as whom, it reads from its standard input, which passes through the broker unread. */
static void add_destination(TransientUnit *u, char *const *addresses, int order, const char **ret_reason) {
    transient_number(u, "StandardInputFileDescriptor", PROPERTY_FD, (uint64_t) order);
    transient_list(u, "IPAddressAllow", PROPERTY_ADDRESSES, (const char *const *) addresses);
    if (u->error == -EINVAL)
        *ret_reason = "addresses";
}

/* Numbers are arguments of their own, too. */
static void add_export_command(TransientUnit *u, const Settings *s, const ExportPlan *p, const char *folder) {
    const struct {
        const char *option;
        uint64_t value;
    } numbers[] = {
        { "--life", p->life },
        { "--number", p->n },
        { "--connections", s->export_connections },
        { "--retries", s->export_retries },
        { "--retry-seconds", s->export_retry_seconds },
        { "--ftp-seconds", s->export_ftp_seconds },
        { "--sftp-seconds", s->export_sftp_seconds },
        { "--answer-seconds", s->export_answer_seconds },
    };
    const char *argv[6 + 2 * ELEMENTS(numbers) + 2] = { EXPORT_PROGRAM, "upload", "--id", p->id, "--folder", folder };
    char texts[ELEMENTS(numbers)][24];
    size_t n = 6;

    for (size_t i = 0; i < ELEMENTS(numbers); i++) {
        snprintf(texts[i], sizeof(texts[i]), "%" PRIu64, numbers[i].value);
        argv[n++] = numbers[i].option;
        argv[n++] = texts[i];
    }
    if (s->export_internal)
        argv[n++] = "--internal";
    transient_list(u, "ExecStart", PROPERTY_COMMAND, argv);
}

int plan_export(const Settings *s, const ExportPlan *p, TransientUnit *ret, const char **ret_reason) {
    _cleanup_free_ char *folder = NULL;
    char home[REL_PATH_SIZE], unit_id[UNIT_ID_MAX + 1];
    TransientUnit u;
    int r;

    if ((r = check_use(p->id, p->life, ret_reason)) < 0 || (r = check_destination(s, p->addresses, ret_reason)) < 0)
        return r;
    if (!account_name_is_valid(p->account))
        return refuse(ret_reason, "account");
    if (p->n == 0)
        return refuse(ret_reason, "n");
    path_home(p->account, p->id, home);
    if (asprintf(&folder, "%s/%s", s->data_path, home) < 0) {
        folder = NULL;
        return -ENOMEM;
    }
    export_unit_id_make(p->id, p->n, unit_id);
    start_worker(&u, s, UNIT_EXPORT, unit_id, EXPORT_USER, p->id, p->life, p->run);
    describe(&u, "tempoftp: upload %" PRIu32 " of %s", p->n, p->id);
    transient_list(&u, "BindReadOnlyPaths", PROPERTY_BINDS, LIST(folder));
    add_export_command(&u, s, p, folder);
    add_destination(&u, p->addresses, p->order, ret_reason);
    return finish(&u, ret);
}

/* Type=oneshot: its job is done when it has ended. */
int plan_probe(const Settings *s, uint64_t destination, char *const *addresses, int order, int output, TransientUnit *ret, const char **ret_reason) {
    char number[24];
    TransientUnit u;
    int r = check_destination(s, addresses, ret_reason);

    if (r < 0)
        return r;
    if (destination == 0 || destination > INT64_MAX)
        return refuse(ret_reason, "destination");
    snprintf(number, sizeof(number), "%" PRIu64, destination);
    start_unit(&u, s, UNIT_PROBE, number, "oneshot", EXPORT_USER);
    describe(&u, "tempoftp: test of destination %s", number);
    transient_number(&u, "StandardOutputFileDescriptor", PROPERTY_FD, (uint64_t) output);
    transient_list(&u, "ExecStart", PROPERTY_COMMAND, LIST(EXPORT_PROGRAM, "test", s->export_internal ? "--internal" : NULL));
    add_destination(&u, addresses, order, ret_reason);
    return finish(&u, ret);
}

/* Both times: OnCalendar= holds over a change of the clock, OnActiveSec= fires when the time is past already (OnCalendar= alone never would). */
static void add_times(TransientUnit *timer, uint64_t when, uint64_t now) {
    char calendar[24];

    snprintf(calendar, sizeof(calendar), "@%" PRIu64, when);
    transient_text(timer, "TimersCalendar", PROPERTY_CALENDAR, calendar);
    transient_number(timer, "TimersMonotonic", PROPERTY_ACTIVE, (when > now ? when - now : 0) * USEC_PER_SECOND);
    transient_number(timer, "AccuracyUSec", PROPERTY_NUMBER, USEC_PER_SECOND);
    transient_bool(timer, "RemainAfterElapse", false);
}

int plan_expiry(const char *id, uint64_t life, uint64_t when, uint64_t now, TransientUnit *ret_timer, TransientUnit *ret_service,
                const char **ret_reason) {
    static const char *const prompt[] = { "/usr/bin/busctl", "--system", "--quiet", "call", "org.tempoftp.Manager1", "/org/tempoftp/Manager1",
                                          "org.tempoftp.Manager1", "ExpireDue", NULL };
    char name[UNIT_NAME_SIZE];
    TransientUnit timer, service;
    int r;

    r = check_use(id, life, ret_reason);
    if (r < 0)
        return r;
    if (when > PLAN_WHEN_MAX)
        return refuse(ret_reason, "when");

    unit_name_make(UNIT_EXPIRE, id, false, name);
    transient_init(&service, name);
    describe(&service, "tempoftp: the days of %s are over", id);
    transient_text(&service, "Type", PROPERTY_TEXT, "oneshot");
    transient_text(&service, "CollectMode", PROPERTY_TEXT, "inactive-or-failed");
    transient_text(&service, "User", PROPERTY_TEXT, "tempoftp");
    transient_list(&service, "ExecStart", PROPERTY_COMMAND, prompt);
    add_fields(&service, id, life);

    unit_name_make(UNIT_EXPIRE, id, true, name);
    transient_init(&timer, name);
    describe(&timer, "tempoftp: end of the days of %s", id);
    transient_text(&timer, "CollectMode", PROPERTY_TEXT, "inactive-or-failed");
    add_times(&timer, when, now);

    r = finish(&service, &service);
    if (r < 0) {
        transient_done(&timer);
        return r;
    }
    r = finish(&timer, ret_timer);
    if (r < 0) {
        transient_done(&service);
        return r;
    }
    *ret_service = service;
    return 0;
}
