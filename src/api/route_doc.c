/* The list of what is written about routes, by the handler that both tables name. */
#include "api/route_doc.h"

const DocGroup *const route_docs[] = { &docs_service, &docs_requests, &docs_delivery, &docs_destinations, &docs_access, &docs_operators, NULL };

/* ---- what several routes share ---- */

const DocField doc_request_id[] = { FIELD_TEXT("id", "Identificador de la solicitud.", .example = DOC_ID), { .name = NULL } };

static const DocSchema refusal = {
    "MotivoDeRechazo", "Por qué se rechaza una solicitud.",
    DOC_FIELDS(
        FIELD_TEXT("id", "El que se dio, cortado a 64 caracteres."),
        FIELD_TEXT("status", "Siempre `error`.", .one_of = "error"),
        FIELD_TEXT("mensaje", "Para una persona."))
};

const DocSchema doc_refused = { "Rechazo", "Una solicitud bien formada que no se acepta.", DOC_FIELDS(FIELD_OBJECT("detail", &refusal, "El motivo.")) };

const DocSchema doc_error = { "Error", "Un error.", DOC_FIELDS(FIELD_TEXT("detail", "Para una persona.")) };

static const DocSchema wrong_field = {
    "CampoErroneo", "Un campo que no tiene la forma debida.",
    DOC_FIELDS(
        FIELD_TEXTS("loc", "Dónde: `body` o `query`, y el nombre del campo."),
        FIELD_TEXT("msg", "Para una persona."),
        FIELD_TEXT("type", "Clase de error, con los nombres de Pydantic."))
};

const DocSchema doc_malformed = { "ErrorDeForma", "JSON o parámetros que no tienen la forma debida.", DOC_FIELDS(FIELD_LIST("detail", &wrong_field, "Uno por campo.")) };

const RouteDoc *route_doc(const Route *route, const char **ret_tag) {
    for (const DocGroup *const *group = route_docs; *group; group++)
        for (const RouteDoc *doc = (*group)->docs; doc->handler; doc++)
            if (doc->handler == route->handler) {
                *ret_tag = (*group)->tag;
                return doc;
            }
    return NULL;
}
