/* Follows one request: by its event stream while that lasts, by asking again after Retry-After when it does not.
 *
 * Knows when following is over; how things look is live_line.c's and answer.c's. */
#include "cli/follow.h"

#include "basic/strings.h"
#include "cli/answer.h"
#include "cli/event_stream.h"
#include "cli/live_line.h"
#include "cli/service.h"
#include "cli/text.h"

#include <errno.h>

#define RETRY_AFTER_DEFAULT 5
#define RETRY_AFTER_MAX 60
#define STREAM_OVER 1 /* our own reason to end the stream */

typedef struct Follow {
    const Args *args;
    LiveLine line;
    State state;
    bool state_known;
    char *message; /* of the state, for the line */
    char last_id[EVENT_ID_MAX];
    unsigned lost; /* connections in a row */
} Follow;

static void follow_done(Follow *f) {
    live_line_clear(&f->line);
    free(f->message);
}

static void take_news(Follow *f, const json_t *news) {
    const char *message = json_text(news, "mensaje");
    Progress progress;
    bool known = answer_progress(news, &progress);

    if (answer_state(news, &f->state))
        f->state_known = true;
    if (message) {
        free(f->message);
        f->message = strdup(message); /* without memory: a line without message */
    }
    if (f->state_known)
        live_line_show(&f->line, state_name(f->state), f->message, known ? &progress : NULL);
}

/* false: too many in a row; the reason has been told. */
static bool wait_to_reconnect(Follow *f, const Client *client, int r) {
    if (f->lost >= FOLLOW_TRIES_MAX) {
        live_line_clear(&f->line);
        service_reached(client, r);
        return false;
    }
    sleep(1u << f->lost++);
    return true;
}

static bool is_connection_error(int r) {
    return r == -EHOSTUNREACH || r == -EPIPE;
}

static int on_news(const char *type, const json_t *data, void *userdata) {
    Follow *f = userdata;

    f->lost = 0;
    take_news(f, data);
    return f->state_known && !state_is_under_way(f->state) ? STREAM_OVER : 0;
}

/* One look; true when following is over, with the exit code in *ret_code. */
static bool ask_once(Follow *f, Client *client, const char *path, Reply *ret, ExitCode *ret_code) {
    _cleanup_reply_ Reply reply = {};

    int r = client_call(client, "GET", path, NULL, &reply);
    if (is_connection_error(r)) {
        *ret_code = EXIT_UNREACHABLE;
        return !wait_to_reconnect(f, client, r);
    }
    live_line_clear(&f->line);
    *ret_code = service_reached(client, r);
    if (*ret_code == EXIT_OK && reply.status != 503)
        *ret_code = service_judge(&reply);
    if (*ret_code == EXIT_NOT_FOUND)
        *ret_code = EXIT_ENDED_BADLY;
    if (*ret_code != EXIT_OK)
        return true;

    f->lost = 0;
    if (reply.status != 503)
        take_news(f, reply.json);
    if (f->state_known && !state_is_under_way(f->state)) {
        *ret = reply;
        reply = (Reply) {};
        return true;
    }
    unsigned wait = reply.retry_after > 0 ? reply.retry_after : RETRY_AFTER_DEFAULT;
    sleep(wait < RETRY_AFTER_MAX ? wait : RETRY_AFTER_MAX);
    return false;
}

ExitCode follow_until_settled(const Args *args, Client *client, const char *id, Reply *ret) {
    _cleanup_(follow_done) Follow f = { .args = args };
    ExitCode code;

    _cleanup_free_ char *path = request_path(id, "", &code);
    if (!path)
        return code;
    live_line_init(&f.line, args);

    for (;;) {
        _cleanup_reply_ Reply refused = {};
        int r = event_stream_read(client, id, f.last_id, on_news, &f, &refused);
        if (r < 0 && !is_connection_error(r)) {
            live_line_clear(&f.line);
            return service_reached(client, r);
        }
        if (ask_once(&f, client, path, ret, &code))
            return code;
    }
}

static void print_event(const json_t *e) {
    char when[TEXT_FIGURE_SIZE];

    text_time(json_text(e, "momento"), when);
    printf("%s  %-10s  ", when, json_text(e, "estado") ? json_text(e, "estado") : "-");
    text_print(stdout, json_text(e, "mensaje") ? json_text(e, "mensaje") : "-");
    if (json_text(e, "actor")) {
        fputs("  [", stdout);
        text_print(stdout, json_text(e, "actor"));
        fputc(']', stdout);
    }
    fputc('\n', stdout);
}

static int on_printed_event(const char *type, const json_t *data, void *userdata) {
    Follow *f = userdata;

    f->lost = 0;
    live_line_clear(&f->line);
    if (f->args->json) {
        json_dumpf(data, stdout, JSON_COMPACT);
        fputc('\n', stdout);
    } else if (streq(type, "estado")) {
        print_event(data);
    }
    fflush(stdout);
    if (streq(type, "estado") && answer_state(data, &f->state))
        f->state_known = true;
    if (streq(type, "progreso") && f->line.terminal)
        take_news(f, data);
    return 0;
}

ExitCode follow_events(const Args *args, Client *client, const char *id) {
    _cleanup_(follow_done) Follow f = { .args = args };

    live_line_init(&f.line, args);
    for (;;) {
        _cleanup_reply_ Reply reply = {};
        int r = event_stream_read(client, id, f.last_id, on_printed_event, &f, &reply);
        if (r < 0 && !is_connection_error(r))
            return service_reached(client, r);
        if (r == 0 && reply.status != 200 && reply.status != 503)
            return service_judge(&reply);
        if (f.state_known && state_is_final(f.state))
            return f.state == STATE_ERROR ? EXIT_ENDED_BADLY : EXIT_OK;
        if (!wait_to_reconnect(&f, client, r < 0 ? r : -EPIPE))
            return EXIT_UNREACHABLE;
    }
}
