/* `ruta`: whatever is accepted can be put together again, climbs nowhere and holds nothing that a shell would read. Also the other
 * names that strangers choose: unit names, folders of a life, account names. */
#include "basic/strings.h"
#include "model/account.h"
#include "model/paths.h"
#include "model/unit_name.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ruta(const char *text) {
    _cleanup_ruta_ Ruta r = { 0 };
    _cleanup_free_ char *again = NULL, *source = NULL;
    const char *why = NULL;

    if (ruta_parse(text, &r, &why) < 0) {
        assert(why && has_prefix(why, "Ruta remota inválida"));
        return;
    }
    assert(asprintf(&again, "%s%s%s%s%s:%s", r.user ? r.user : "", r.user ? "@" : "", r.ipv6 ? "[" : "", r.host, r.ipv6 ? "]" : "",
                    r.path) >= 0);
    assert(streq(text, again));
    assert(r.host[0] != '-' && r.path[0] == '/' && (!r.user || r.user[0] != '-'));
    assert(!strstr(r.path, "/../") && !has_suffix(r.path, "/.."));
    assert(!strpbrk(r.path, "\\'\"`$&|;<>()[]{}*?!#^\n\r\t") && utf8_is_valid(r.path, strlen(r.path)));
    assert(!strpbrk(r.host, " /\\'\"`$&|;<>()[]{}*?@"));
    source = ruta_source_path(&r, "id");
    assert(has_prefix(source, r.path));
}

static void check_names(const char *text) {
    char id[ID_MAX + 1] = "", unit_id[UNIT_ID_MAX + 1] = "", made[UNIT_NAME_SIZE];
    uint32_t n;
    ReportUnit u;
    UnitKind kind;
    uint64_t life;

    if (report_unit_name_parse(text, &u) == 0) {
        export_unit_id_make(u.id, u.n, unit_id);
        report_unit_name_make(u.failed, u.kind, u.life, u.run, u.kind == UNIT_EXPORT ? unit_id : u.id, made);
        assert(streq(text, made) && id_is_valid(u.id));
    }
    if (unit_name_parse(text, &kind, unit_id) == 0) {
        assert(kind < UNIT_KIND_MAX);
        assert(kind == UNIT_EXPORT ? export_unit_id_parse(unit_id, id, &n) == 0 && n > 0 : id_is_valid(unit_id));
    }
    if (path_parse_life(text, id, &life) == 0) {
        char path[REL_PATH_SIZE];
        path_purge(id, life, path);
        assert(streq(path + strlen(".purge/"), text));
    }
    if (account_name_is_valid(text))
        assert(strlen(text) <= ACCOUNT_NAME_MAX && !strchr(text, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = strndup((const char *) data, size);

    check_ruta(text);
    check_names(text);
    if (email_is_valid(text)) {
        char name[ACCOUNT_NAME_MAX + 1];
        static const uint8_t digest[32] = { 0x5a };
        assert(account_name_make(text, digest, ACCOUNT_SUFFIX_MAX, name) == 0 && account_name_is_valid(name));
    }
    return 0;
}
