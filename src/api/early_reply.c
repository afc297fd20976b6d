/* One answer as text. Who gets it, and why, is not known here. */
#define H2O_USE_LIBUV 0
#include "api/early_reply.h"

#include "api/browser.h"
#include "api/reply.h"
#include "basic/json_writer.h"
#include "basic/strings.h"
#include "crypto/password.h"

#include <time.h>

static void print_date(Buffer *to) {
    char text[64];
    struct tm parts;
    time_t now = time(NULL);

    if (gmtime_r(&now, &parts) && strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts) > 0)
        buffer_printf(to, "date: %s\r\n", text);
}

void early_reply_print(Buffer *to, int status, bool over_tls) {
    _cleanup_buffer_ Buffer body = { 0 };
    JsonWriter w = JSON_WRITER(&body);
    char id[37];

    json_object_open(&w, NULL);
    json_string(&w, "detail", reply_standing_text(status));
    json_object_close(&w);
    uuid4(id);
    buffer_printf(to, "HTTP/1.1 %d %s\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: %zu\r\nx-request-id: %s\r\n", status,
                  reply_reason(status), body.size, id);
    print_date(to);
    if (status == 429 || status == 503)
        buffer_puts(to, "retry-after: " RETRY_AFTER_UNAVAILABLE "\r\n");
    browser_print_headers(to, over_tls);
    buffer_puts(to, "\r\n");
    buffer_append(to, body.data, body.size);
    if (body.error && !to->error)
        to->error = body.error;
}
