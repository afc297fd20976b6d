-- POST /tmpftp, each with an id and an address of its own. Argument: a word that no other run uses.
-- The first requests are made before the clock starts, as many as are likely to be wanted: wrk shares the machine with the server that it measures.
local READY = 150000
local head = "POST /tmpftp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
local requests, word, n = {}, "", 0

local function make(number)
    local mixed = (number * 2654435761) % 4294967296
    local body = string.format('{"usuario":"user%d@example.org","id":"set-%08x-%s-%d","ruta":"source:/data/set","vigencia":5}',
                               mixed % 5000, mixed, word, number)
    return string.format(head, #body, body)
end

function init(arguments)
    word = arguments[1]
    for number = 1, READY do
        requests[number] = make(number)
    end
end

function request()
    n = n + 1
    return requests[n] or make(n)
end
