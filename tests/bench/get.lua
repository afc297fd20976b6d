-- GET /tmpftp/{id}, ids at random over all that were seeded. Argument: how many there are. See seed.py for their names.
-- The requests are made before the clock starts: wrk shares the machine with the server that it measures.
local requests = {}

function init(arguments)
    local count = tonumber(arguments[1])
    for n = 0, count - 1 do
        requests[n + 1] = wrk.format("GET", string.format("/tmpftp/set-%08x-%d", (n * 2654435761) % 4294967296, n))
    end
    math.randomseed(os.time())
end

function request()
    return requests[math.random(#requests)]
end
