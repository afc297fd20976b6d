"""GETs at a steady rate over one connection; prints the 99th percentile of what they took, in milliseconds.

    steady.py PORT TOKEN GETS_PER_SECOND SECONDS PATH...

Not wrk: that fills a core by itself, and then who waits is the scheduler's choice. A process of its own that goes before everybody (SCHED_FIFO), so that the
client's own waiting is not measured. Time counts from the moment a GET was due, so that one that is late makes those behind it late too.
"""
import http.client
import os
import statistics
import sys
import time


def main(port, token, rate, seconds, *paths):
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    connection.connect()
    took, begin = [], time.perf_counter()
    for n in range(int(rate) * int(seconds)):
        due = begin + n / int(rate)
        time.sleep(max(0, due - time.perf_counter()))
        connection.request("GET", paths[n % len(paths)], headers={"Authorization": f"Bearer {token}"})
        reply = connection.getresponse()
        reply.read()
        took.append(time.perf_counter() - due)
        if reply.status != 200:
            sys.exit(f"GET {paths[n % len(paths)]} was answered with {reply.status}")
    print(statistics.quantiles(took, n=100)[98] * 1000)


if __name__ == "__main__":
    main(*sys.argv[1:])
