-- GET /tmpftp/{id} of those that were seeded. Arguments: how many there are; "once" for one after the other instead of at random; a token to send. See seed.py for names.
-- The requests are made before the clock starts: wrk shares the machine with the server that it measures.
local requests, once, n = {}, false, 0

function init(arguments)
    local count, headers = tonumber(arguments[1]), nil
    if arguments[3] then
        headers = { Authorization = "Bearer " .. arguments[3] }
    end
    for n = 0, count - 1 do
        requests[n + 1] = wrk.format("GET", string.format("/tmpftp/set-%08x-%d", (n * 2654435761) % 4294967296, n), headers)
    end
    math.randomseed(os.time())
    once = arguments[2] == "once"
end

function request()
    if once then
        n = n % #requests + 1
        return requests[n]
    end
    return requests[math.random(#requests)]
end
