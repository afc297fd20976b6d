/* Users on the wire. */
#pragma once

#include "api/reply.h"
#include "model/user.h"

/* {"id","nombre","correo", …} as an object; `role`: with rol and created_at, as operators see it. */
void user_write(JsonWriter *w, const User *u, bool role);
