-- POST /tmpftp, each with an id and an address of its own. Argument: a word that no other run uses.
local word, n = "", 0

function init(arguments)
    word = arguments[1]
    wrk.headers["Content-Type"] = "application/json"
end

function request()
    n = n + 1
    local mixed = (n * 2654435761) % 4294967296
    local body = string.format('{"usuario":"user%d@example.org","id":"set-%08x-%s-%d","ruta":"source:/data/set","vigencia":5}',
                               mixed % 5000, mixed, word, n)
    return wrk.format("POST", "/tmpftp", nil, body)
end
