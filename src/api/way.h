/* By which way a client comes to the API. */
#pragma once

typedef enum Way { WAY_HTTP, WAY_HTTPS, WAY_UNIX /* peers may be operators */, WAYS } Way;
