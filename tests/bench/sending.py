"""One client that sends batches of statements, and prints how long each answer took.

Run as `python -m tests.bench.sending PORT SECONDS EVERY OFFSET` with a JSON list of [Authorization
header, batches of statements] on its standard input. With EVERY above 0, a batch is due every so
many seconds, and the time runs from when it was due (an open loop); with 0, as soon as the one
before is answered.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time

#: What is another in each batch: the fraction of a second, and ten learners of a thousand.
MARK, LEARNERS = "314159", "@@"


def main(port: int, seconds: float, every: float, offset: int) -> None:
    """Print milliseconds of each batch, what went wrong, and the processor time that this took."""
    authorization, told = json.load(sys.stdin)
    batches = [each.encode() for each in told]
    mark, learners = MARK.encode(), LEARNERS.encode()
    headers = {
        "Authorization": authorization,
        "Content-Type": "application/json",
        "X-Experience-API-Version": "1.0.3",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    took: list[float] = []
    wrong: list[str] = []
    began = time.perf_counter()
    number = 0
    while (now := time.perf_counter()) - began < seconds:
        due = began + number * every if every else now
        if due > now:
            time.sleep(due - now)
        body = batches[number % len(batches)].replace(mark, b"%06d" % (offset + number))
        body = body.replace(learners, b"%02d" % (number // len(batches) % 100))
        try:
            connection.request("POST", "/xapi/statements", body, headers)
            answer = connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            # A server lets go of a connection that was idle; whoever sends opens another.
            connection.close()
            connection.request("POST", "/xapi/statements", body, headers)
            answer = connection.getresponse()
        said = answer.read()
        took.append((time.perf_counter() - due) * 1000)
        if answer.status != 200:
            wrong.append(f"{answer.status} {said[:200].decode(errors='replace')}")
        number += 1
    times = os.times()
    print(
        json.dumps(
            {
                "ms": took,
                "wrong": wrong,
                "seconds": time.perf_counter() - began,
                "cpu": times.user + times.system,
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
