/* api/openapi: every route is written about, every row belongs to a route, and what follows from the route table is in the file. Whether what is written is
 * true is for tests/system/test_openapi.py. */
#include "api/openapi.h"
#include "api/route_doc.h"
#include "basic/strings.h"

#include <ctype.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static json_t *load(AuthMode auth) {
    _cleanup_buffer_ Buffer b = { 0 };
    const RateLimit limit = { .calls = 7, .window_ms = 60000 };
    Settings settings = { .auth = auth, .rate_post = limit, .rate_register = limit, .rate_login = limit, .rate_token_create = limit, .rate_token_validate = limit };
    json_error_t error;
    size_t n;

    const Route *routes = route_table(&n);
    openapi_write(&b, routes, n, &settings);
    assert_int_equal(b.error, 0);
    json_t *root = json_loadb(b.data, b.size, JSON_REJECT_DUPLICATES, &error); /* also of schemas, statuses and examples with one name */
    if (!root)
        fail_msg("%s, at byte %d", error.text, error.position);
    return root;
}

/* The operation of a route; its path has names in place of {}. */
static const json_t *operation(const json_t *root, const Route *route) {
    const char *tag, *path;
    const RouteDoc *doc = route_doc(route, &tag);
    json_t *paths = json_object_get(root, "paths"), *item;
    char method[16] = "";

    for (size_t i = 0; route->method[i]; i++)
        method[i] = (char) tolower((unsigned char) route->method[i]);
    json_object_foreach(paths, path, item) {
        const json_t *found = json_object_get(item, method);
        if (found && doc && streq(json_string_value(json_object_get(found, "operationId")), doc->id))
            return found;
    }
    return NULL;
}

static const json_t *answer(const json_t *op, const char *status) {
    return json_object_get(json_object_get(op, "responses"), status);
}

static void test_every_route_is_written_about(void **state) {
    size_t n;
    const Route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++) {
        const char *tag = NULL;
        const RouteDoc *doc = route_doc(&routes[i], &tag);
        size_t parameters = 0, braces = 0;
        if (!doc)
            fail_msg("%s %s: no row in src/api/docs_*.c", routes[i].method, routes[i].path);
        assert_non_null(tag);
        assert_false(is_blank(doc->id) || is_blank(doc->summary));
        assert_true(doc->answers[0].status > 0);
        for (const char *p = routes[i].path; *p; p++)
            braces += *p == '{';
        for (const DocField *f = doc->path; f && f->name; f++, parameters++)
            assert_non_null(f->example);
        if (parameters != braces)
            fail_msg("%s %s: %zu parameters in its row", routes[i].method, routes[i].path, parameters);
        if ((doc->body != NULL) && !(routes[i].flags & (ROUTE_BODY | ROUTE_OPTIONAL_BODY)))
            fail_msg("%s %s: has no body", routes[i].method, routes[i].path);
        if ((routes[i].flags & ROUTE_BODY) && !doc->body)
            fail_msg("%s %s: its body is not written about", routes[i].method, routes[i].path);
    }
}

static bool is_routed(const RouteDoc *doc) {
    size_t n, found = 0;
    const Route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++)
        found += routes[i].handler == doc->handler;
    return found == 1;
}

static void test_every_row_has_its_route_and_its_own_name(void **state) {
    for (const DocGroup *const *g = route_docs; *g; g++)
        for (const RouteDoc *doc = (*g)->docs; doc->handler; doc++) {
            if (!is_routed(doc))
                fail_msg("%s: not one route has that handler", doc->id);
            for (const DocGroup *const *h = route_docs; *h; h++)
                for (const RouteDoc *other = (*h)->docs; other->handler; other++)
                    assert_true(other == doc || !streq(other->id, doc->id));
        }
}

static void test_every_example_has_an_answer_that_is_written_down(void **state) {
    for (const DocGroup *const *g = route_docs; *g; g++)
        for (const RouteDoc *doc = (*g)->docs; doc->handler; doc++)
            for (const DocExample *e = doc->examples; e && e->name; e++) {
                bool found = e->status == 422 && doc->query;
                for (const DocAnswer *a = doc->answers; a->status; a++)
                    found = found || a->status == e->status;
                if (!found)
                    fail_msg("%s: example %s has a status that is not among the answers", doc->id, e->name);
                assert_true(!e->send || doc->body);
            }
}

static void test_the_file_follows_the_table(void **state) {
    json_t *root = load(AUTH_REQUIRED);
    size_t n;
    const Route *routes = route_table(&n);

    assert_string_equal(json_string_value(json_object_get(root, "openapi")), "3.1.0");
    for (size_t i = 0; i < n; i++) {
        const Route *r = &routes[i];
        const json_t *op = operation(root, r);
        bool body = r->flags & (ROUTE_BODY | ROUTE_OPTIONAL_BODY);
        const GateMay *may = gate_may(r->rule);
        if (!op)
            fail_msg("%s %s is not in the file", r->method, r->path);
        assert_int_equal(json_array_size(json_object_get(op, "security")), may->anyone ? 0 : 1);
        assert_true(may->anyone || answer(op, "401"));
        assert_true(may->anyone || may->user || answer(op, "403"));
        assert_true((r->limit != LIMIT_NONE) == (answer(op, "429") != NULL));
        assert_true(body == (answer(op, "415") != NULL));
        assert_true(answer(op, "413") && answer(op, "500") && answer(op, "503") && answer(op, "default"));
        assert_true((r->limit != LIMIT_NONE) == (strstr(json_string_value(json_object_get(op, "description")), "7 por minuto") != NULL));
    }
    json_decref(root);
}

static void test_an_open_service_says_so(void **state) {
    json_t *root = load(AUTH_OFF);
    size_t n;
    const Route *routes = route_table(&n);

    for (size_t i = 0; i < n; i++) {
        const json_t *security = json_object_get(operation(root, &routes[i]), "security");
        bool opens = gate_may(routes[i].rule)->opens, without = json_array_size(security) > 0 && json_object_size(json_array_get(security, 0)) == 0;
        assert_true(opens == without);
    }
    json_decref(root);
}

/* Every "$ref" leads somewhere. */
static void check_references(const json_t *root, const json_t *value) {
    const char *key;
    json_t *child;
    size_t i;

    if (json_is_array(value))
        json_array_foreach(value, i, child) check_references(root, child);
    json_object_foreach((json_t *) value, key, child) {
        char kind[32], name[64];
        if (!streq(key, "$ref")) {
            check_references(root, child);
            continue;
        }
        assert_int_equal(sscanf(json_string_value(child), "#/components/%31[^/]/%63s", kind, name), 2);
        if (!json_object_get(json_object_get(json_object_get(root, "components"), kind), name))
            fail_msg("%s leads nowhere", json_string_value(child));
    }
}

static void test_references_lead_somewhere(void **state) {
    json_t *root = load(AUTH_REQUIRED);

    check_references(root, root);
    json_decref(root);
}

static void test_a_buffer_that_is_too_small_says_so(void **state) {
    _cleanup_buffer_ Buffer b = { .max = 1000 };
    Settings settings = { .auth = AUTH_REQUIRED };
    size_t n;

    const Route *routes = route_table(&n);
    openapi_write(&b, routes, n, &settings);
    assert_true(b.error < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_is_written_about),
        cmocka_unit_test(test_every_row_has_its_route_and_its_own_name),
        cmocka_unit_test(test_every_example_has_an_answer_that_is_written_down),
        cmocka_unit_test(test_the_file_follows_the_table),
        cmocka_unit_test(test_an_open_service_says_so),
        cmocka_unit_test(test_references_lead_somewhere),
        cmocka_unit_test(test_a_buffer_that_is_too_small_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
