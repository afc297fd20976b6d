/* Settings files: read as systemd would, then every setting in them parsed. */
#include "basic/strings.h"
#include "model/env_file.h"
#include "model/settings.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *look_up(const char *name, void *userdata) {
    return env_file_get(userdata, name);
}

static void warn(const char *text, void *userdata) {
    assert(!is_blank(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_(env_file_freep) EnvFile *file = NULL;
    _cleanup_(settings_freep) Settings *s = NULL;
    _cleanup_free_ char *error = NULL;

    int r = env_file_parse((const char *) data, size, &file);
    if (r < 0) {
        assert(r == -E2BIG || r == -EINVAL);
        return 0;
    }
    r = settings_parse(look_up, warn, file, &s, &error);
    if (r < 0) {
        assert(r == -EINVAL && strchr(error, ':'));
        return 0;
    }
    assert(s->data_path[0] == '/' && s->data_path[1] != '\0' && !strstr(s->data_path, "/../") && !has_suffix(s->data_path, "/.."));
    assert(s->ftp_uid > 0 && s->ftp_gid > 0 && s->max_transfers > 0 && s->vigencia_max > 0);
    assert(s->pasv_min <= s->pasv_max && s->pasv_min >= 1024);
    assert(s->ssh_user[0] != '-' && s->ftp_host && s->rate_post.calls > 0);
    return 0;
}
