"""One process that asks for pages at a steady rate, and prints how long each took.

Run as `python -m tests.bench.load PORT RATE SECONDS` with a JSON list of [path, headers] on its
standard input. Requests start when they are due, however long the others take (an open loop), and
the time runs from when one was due: a server that falls behind shows it.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

_AT_ONCE = 64


def main(port: int, rate: float, seconds: float) -> None:
    """Print a JSON list of [place in the list, milliseconds]."""
    pages = json.load(sys.stdin)
    began = time.perf_counter() + 0.2

    def ask(number: int) -> tuple[int, float]:
        place = number % len(pages)
        path, head = pages[place]
        due = began + number / rate
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path, headers={"Accept-Encoding": "br", **head})
            connection.getresponse().read()
            return place, (time.perf_counter() - due) * 1000
        finally:
            connection.close()

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = []
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            asked.append(pool.submit(ask, number))
        print(json.dumps([each.result() for each in asked]))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
