/* The handlers behind the routes. Each answers its call, now or later; CONTRACT "Requests" says what. */
#pragma once

#include "api/call.h"

void root_get(Call *c);            /* health.c */
void health_get(Call *c);
void openapi_get(Call *c);         /* docs.c */
void docs_page_get(Call *c);
void docs_file_get(Call *c);
void request_post(Call *c);        /* submit.c */
void request_get(Call *c);         /* view.c */
void request_list(Call *c);
void request_delete(Call *c);      /* actions.c */
void request_delete_user(Call *c);
void request_expire_due(Call *c);
void request_block(Call *c);
void request_unblock(Call *c);
void request_extend(Call *c);
void request_drop(Call *c);
void request_no_drop(Call *c);
void request_events(Call *c);      /* watchers.c */
void session_list(Call *c);        /* session_calls.c */
void session_end(Call *c);
void destination_list(Call *c);    /* destination_calls.c */
void destination_post(Call *c);
void destination_get(Call *c);
void destination_put(Call *c);
void destination_delete(Call *c);
/* The destination that the call names; -ENOENT and other errors: told. */
int destination_find(Call *c, Destination *ret) _must_use_;
void destination_test(Call *c);    /* probe.c */
void export_ftp(Call *c);          /* export_calls.c */
void export_sftp(Call *c);
void export_list(Call *c);
void export_cancel(Call *c);
void export_logs(Call *c);
void auth_register(Call *c);       /* auth.c */
void auth_login(Call *c);
void auth_logout(Call *c);         /* users.c */
void user_list(Call *c);
void user_patch(Call *c);
void onetime_create(Call *c);      /* onetime.c */
void onetime_validate(Call *c);
void audit_list(Call *c);          /* audit.c */
void metrics_get(Call *c);         /* metrics_page.c */
