/* What is written about the calls by which people become users, log in and use one-time tokens. */
#include "api/resources.h"
#include "api/route_doc.h"
#include "model/texts.h"

static const DocSchema wanted = {
    "UsuarioNuevo", "Quién se registra.",
    DOC_FIELDS(
        FIELD_TEXT("nombre", "De 1 a 100 caracteres."),
        FIELD_TEXT("correo", "Será el nombre con el que se inicia sesión; se guarda en minúsculas."),
        FIELD_TEXT("password", "De 12 a 128 bytes."))
};

static const DocSchema registered = {
    "UsuarioRegistrado", "El usuario, como quedó escrito.",
    DOC_FIELDS(
        FIELD_INTEGER("id", "Número."),
        FIELD_TEXT("nombre", "Nombre."),
        FIELD_TEXT("correo", "Correo."),
        FIELD_BOOLEAN("is_active", "Puede iniciar sesión."))
};

static const DocSchema login = {
    "Credenciales", "Con qué se inicia sesión.", DOC_FIELDS(FIELD_TEXT("correo", "Correo."), FIELD_TEXT("password", "Contraseña."))
};

static const DocSchema session = {
    "Sesion", "El token que acompaña a las demás llamadas.",
    DOC_FIELDS(
        FIELD_TEXT("access_token", "JWT (HS256), para `Authorization: Bearer`."),
        FIELD_TEXT("token_type", "Siempre `bearer`.", .one_of = "bearer"))
};

static const DocSchema message = { "Mensaje", "Una frase.", DOC_FIELDS(FIELD_TEXT("message", "Para una persona.")) };

static const DocSchema onetime = {
    "TokenDeUnUso", "Vale una vez y unos segundos.", DOC_FIELDS(FIELD_TEXT("token", "El token."))
};

#define REGISTER(name, email, password) "{\"nombre\": \"" name "\", \"correo\": \"" email "\", \"password\": \"" password "\"}"
#define LOGIN(email, password) "{\"correo\": \"" email "\", \"password\": \"" password "\"}"
#define PASSWORD "una clave muy larga"

static const RouteDoc docs[] = {
    { auth_register, "registrarse", "Registrarse",
      "Según `TEMPOFTP_REGISTRO`: `aprobacion` (un operador activa a cada usuario), `abierto` o `cerrado`. A quien registra un operador se le activa en el acto.",
      .body = &wanted,
      .answers = DOC_ANSWERS({ 200, "Registrado.", .body = &registered }, { 400, .help = "Bien formado, pero rechazado." }, { 403, .help = "El registro está cerrado." }),
      .examples = DOC_EXAMPLES(
          { "registrado", "Espera a un operador", 200, .send = REGISTER("Ana", "ana@example.org", PASSWORD),
            .answer = JSON({"id": 7, "nombre": "Ana", "correo": "ana@example.org", "is_active": false}) },
          { "ya_registrado", "El correo está en uso", 400, .send = REGISTER("Ana", "ana@example.org", PASSWORD), .detail = TEXT_EMAIL_TAKEN },
          { "nombre_invalido", "Sin nombre", 400, .send = REGISTER(" ", "ana@example.org", PASSWORD), .detail = TEXT_BAD_NAME },
          { "correo_invalido", "No es un correo", 400, .send = REGISTER("Ana", "ana", PASSWORD), .detail = TEXT_BAD_EMAIL },
          { "clave_corta", "Contraseña corta", 400, .send = REGISTER("Ana", "ana@example.org", "corta"), .detail = TEXT_BAD_PASSWORD },
          { "cerrado", "El registro está cerrado", 403, .send = REGISTER("Ana", "ana@example.org", PASSWORD), .detail = TEXT_REGISTRATION_CLOSED }) },

    { auth_login, "iniciar_sesion", "Iniciar sesión", "Un correo que nadie tiene y una contraseña equivocada se responden igual y tardan lo mismo.",
      .body = &login,
      .answers = DOC_ANSWERS({ 200, "Sesión iniciada.", .body = &session }, { 401, .help = "Correo o contraseña no son correctos." }, { 403, .help = "Un operador no ha activado la cuenta." }),
      .examples = DOC_EXAMPLES(
          { "iniciada", "Sesión iniciada", 200, .send = LOGIN("ana@example.org", PASSWORD),
            .answer = JSON({"access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJ0ZW1wb2Z0cCJ9.c2lnbmF0dXJl", "token_type": "bearer"}) },
          { "incorrectas", "Contraseña equivocada", 401, .send = LOGIN("ana@example.org", "otra clave muy larga"), .detail = TEXT_WRONG_CREDENTIALS },
          { "inactiva", "Espera a un operador", 403, .send = LOGIN("ana@example.org", PASSWORD), .detail = TEXT_USER_INACTIVE }) },

    { auth_logout, "cerrar_sesion", "Cerrar todas las sesiones del usuario", "Todos sus tokens dejan de valer en el acto, también los de un uso.",
      .answers = DOC_ANSWERS({ 200, "Cerradas.", .body = &message }),
      .examples = DOC_EXAMPLES({ "cerrada", "Cerradas", 200, .answer = "{\"message\": \"" TEXT_LOGGED_OUT "\"}" }) },

    { onetime_create, "crear_token", "Crear un token de un uso", "Vale unos segundos (`TEMPOFTP_ONETIME_TOKEN_EXPIRE_SECONDS`).",
      .answers = DOC_ANSWERS({ 200, "Creado.", .body = &onetime }),
      .examples = DOC_EXAMPLES({ "creado", "Creado", 200, .answer = JSON({"token": "3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) }) },

    { onetime_validate, "validar_token", "Gastar un token de un uso", "De cuantos lo intenten a la vez, lo consigue uno.",
      .body = &onetime,
      .answers = DOC_ANSWERS({ 200, "Valía, y ya no vale.", .body = &message }, { 401, .help = "No vale, o falta el JWT." }),
      .examples = DOC_EXAMPLES(
          { "valido", "Valía", 200, .send = JSON({"token": "3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}), .answer = "{\"message\": \"" TEXT_TOKEN_SPENT "\"}" },
          { "invalido", "No vale", 401, .send = JSON({"token": "gastado"}), .detail = TEXT_TOKEN_WRONG }) },
    { .handler = NULL },
};

const DocGroup docs_access = { "Acceso", "Registrarse, iniciar y cerrar sesión, tokens de un uso.", docs };
